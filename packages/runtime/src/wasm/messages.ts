/** @file What is asked of a wasm instance, on this thread or in a worker, and what it answers. */
import type { HostArray, KernelTime, Manifest } from '@quern/artifact'
import type { HostOutput } from '../executor.ts'
import type { WasmInstance, WasmRun } from './instance.ts'

/** What a worker needs to become an instance. */
export interface Init {
  readonly kind: 'init'
  readonly manifest: Manifest
  readonly module: WebAssembly.Module
  /** Undefined: the worker makes its own. */
  readonly memory: WebAssembly.Memory | undefined
  readonly weights: Uint8Array | undefined
  readonly thread: number
  readonly teamSize: number
}

export type Request =
  | ({ readonly kind: 'run' } & WasmRun)
  | { readonly kind: 'read-state'; readonly fork: number; readonly name: string }
  | { readonly kind: 'write-state'; readonly fork: number; readonly name: string; readonly data: HostArray }
  | { readonly kind: 'reset-state'; readonly fork: number; readonly name: string | undefined }
  | { readonly kind: 'drop-fork'; readonly fork: number }

export type WorkerRequest = Init | Request | Join

/** Goes with a run of the leader. */
export interface Join {
  readonly kind: 'join'
  readonly entry: string
  readonly symbols: Readonly<Record<string, number>>
}

export interface Answer {
  readonly outputs: readonly HostOutput[]
  readonly data: HostArray | undefined
  /** What a worker was lent for the inputs, on its way home; empty on the caller's thread. */
  readonly returned: readonly HostArray[]
  /** Of a profile: the time of each kernel. */
  readonly kernels: readonly KernelTime[]
  readonly arena: number
  readonly peak: number
}

export interface Call {
  readonly id: number
  readonly request: WorkerRequest
}

/** Errors cross as plain fields: classes do not survive cloning. */
export interface SentError {
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly answer: Answer }
  | { readonly id: number; readonly ok: false; readonly error: SentError }

/** The one place that knows what a request means. */
export const answerRequest = (instance: WasmInstance, request: Request): Answer => {
  const { outputs = [], data, kernels = [] } = perform(instance, request)
  return { outputs, data, returned: [], kernels, arena: instance.arenaBytes, peak: instance.memory.buffer.byteLength }
}

const perform = (instance: WasmInstance, request: Request): Partial<Pick<Answer, 'outputs' | 'data' | 'kernels'>> => {
  const { states } = instance
  switch (request.kind) {
    case 'run':
      return instance.run(request)
    case 'read-state':
      return { data: states.read(request.fork, request.name) }
    case 'write-state':
      states.write(request.fork, request.name, request.data)
      return {}
    case 'reset-state':
      states.reset(request.fork, request.name)
      return {}
    case 'drop-fork':
      states.drop(request.fork)
      return {}
  }
}
