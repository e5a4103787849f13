/** @file What holds a wasm instance: the caller's thread, or workers. */
import type { Manifest } from '@quern/artifact'
import type { Answer, Request } from './messages.ts'

export interface WasmImage {
  readonly manifest: Manifest
  readonly module: WebAssembly.Module
  /** Given away: a worker takes the bytes with it. */
  readonly weights: Uint8Array<ArrayBuffer>
}

export interface WasmHost {
  readonly thread: 'caller' | 'worker'
  readonly threads: number
  /** Calls are answered one by one, in the order in which they are made. */
  call(request: Request): Promise<Answer>
  /** At once: what is under way is rejected. */
  terminate(): void
}
