/** @file What the runtime and its worker say to each other. */
import type { HostArray, Manifest } from '@quern/artifact'
import type { HostOutput } from '../executor.ts'

export type Request =
  | {
      readonly kind: 'init'
      readonly manifest: Manifest
      readonly module: WebAssembly.Module
      readonly memory: WebAssembly.Memory | undefined
      readonly weights: Uint8Array | undefined
      readonly thread: number
      readonly teamSize: number
    }
  | {
      readonly kind: 'run'
      readonly entry: string
      readonly inputs: readonly HostArray[]
      readonly symbols: Record<string, number>
    }
  | { readonly kind: 'join'; readonly entry: string }
  | { readonly kind: 'read-state'; readonly name: string }
  | { readonly kind: 'write-state'; readonly name: string; readonly data: HostArray }
  | { readonly kind: 'reset-state'; readonly name: string | undefined }

export interface Call {
  readonly id: number
  readonly request: Request
}

/** Errors cross as plain fields: classes do not survive cloning. */
export interface SentError {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

export type Reply =
  | {
      readonly id: number
      readonly ok: true
      readonly outputs?: readonly HostOutput[]
      readonly data?: HostArray
      readonly arena: number
      readonly peak: number
    }
  | { readonly id: number; readonly ok: false; readonly error: SentError }
