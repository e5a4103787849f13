/** @file What an app and a model file see: specs, dims, models, tensors. Shared by `model`, `runtime` and the emitted stub. */
import type { DType, HostArray } from './dtype.ts'

/** A symbolic dimension: one name is one value per run. */
export interface Dim<N extends string = string> {
  readonly kind: 'dim'
  readonly name: N
  readonly min: number
  readonly max: number | undefined
  readonly multipleOf: number
}

export type Shape = readonly (number | Dim)[]

export interface Spec<D extends DType = DType, S extends Shape = Shape> {
  readonly kind: 'spec'
  readonly dtype: D
  readonly shape: S
}

/** A shape as the app sees it at run time: literal where the model is static, `number` where it has a dim. */
export type RunShape<S extends Shape> = { readonly [K in keyof S]: S[K] extends number ? S[K] : number }

export interface Tensor<D extends DType = DType, S extends readonly number[] = readonly number[]> {
  readonly dtype: D
  readonly shape: S
  readonly data: HostArray<D>
}

/** A tensor that stays on its device; any model on the same device takes it as an input. */
export interface DeviceTensor<D extends DType = DType, S extends readonly number[] = readonly number[]> {
  readonly dtype: D
  readonly shape: S
  readonly device: DeviceKind
  read(): Promise<Tensor<D, S>>
  dispose(): void
}

export type Specs = Readonly<Record<string, Spec>>
export type RunInput<S> =
  S extends Spec<infer D, infer H>
    ? | HostArray<D>
      | { readonly data: HostArray<D>; readonly shape: readonly number[] }
      | Tensor<D, RunShape<H>>
      | DeviceTensor<D>
    : never
export type RunInputs<I> = { readonly [K in keyof I]: RunInput<I[K]> }
export type RunOutput<S> = S extends Spec<infer D, infer H> ? Tensor<D, RunShape<H>> : never
export type Outputs<O> = { readonly [K in keyof O]: RunOutput<O[K]> }
export type DeviceOutputs<O> = {
  readonly [K in keyof O]: O[K] extends Spec<infer D, infer H> ? DeviceTensor<D, RunShape<H>> : never
}
export type OutputData<O> = { readonly [K in keyof O]: O[K] extends Spec<infer D> ? HostArray<D> : never }

export type DeviceKind = 'wasm' | 'webgpu'

export interface Progress {
  readonly loaded: number
  readonly total: number
}

export interface LoadOptions {
  /** `auto` compares the cost model's predictions per device at both ends of the dims' bounds. Default `auto`. */
  readonly device?: 'auto' | DeviceKind
  /**
   * Where wasm runs. `auto`, the default, takes the caller's thread only where every run that the dims' bounds permit is predicted to
   * take less than 2 ms.
   */
  readonly thread?: 'auto' | 'caller' | 'worker'
  /**
   * The sizes that you expect, by the names of dims: predictions hold there, instead of at the ends of the dims' bounds. Runs may
   * have any size all the same.
   */
  readonly dims?: Readonly<Record<string, number>>
  /** Team size for parallel plans; 1 where shared memory is refused (and reported). */
  readonly threads?: number
  /** Called with decoded bytes: from 0 to exactly `total`, never backwards. */
  readonly onProgress?: (progress: Progress) => void
  /** Ends the transfers; `load` rejects with `load/aborted`. */
  readonly signal?: AbortSignal
}

export interface RunOptions<O> {
  /** Drops the run's result, and the run itself if it has not begun: wasm that runs cannot be interrupted. */
  readonly signal?: AbortSignal
  /** `device`: tensors that stay where they were computed, for any model on the same device. Default `cpu`. */
  readonly outputs?: 'cpu' | 'device'
  /** The caller's arrays, filled instead of fresh ones: a fresh array of 16 MB costs more than many a model. */
  readonly into?: Partial<OutputData<O>>
}

export interface KernelTime {
  readonly kernel: string
  readonly ms: number
  readonly runs: number
}

export interface Report {
  readonly device: DeviceKind
  /** Why this device, and why not the others, one sentence each. */
  readonly reasons: readonly string[]
  readonly thread: 'caller' | 'worker'
  readonly threads: number
  readonly features: readonly string[]
  readonly bytes: { readonly code: number; readonly weights: number; readonly arena: number; readonly peak: number }
  readonly ms: { readonly load: number; readonly compile: number; readonly lastRun: number }
  /** Dispatches and submits of the last run (WebGPU; zero on wasm). */
  readonly dispatches: number
  readonly submits: number
  readonly checked: 'sha-256' | 'unchecked: no crypto.subtle'
}

export interface Runner<I, O> {
  /** Runs queue in order. The inputs must stay as they are until the run has ended; outputs are the caller's for good. */
  run(inputs: RunInputs<I>, options?: RunOptions<O> & { readonly outputs?: 'cpu' }): Promise<Outputs<O>>
  run(inputs: RunInputs<I>, options: RunOptions<O> & { readonly outputs: 'device' }): Promise<DeviceOutputs<O>>
  /**
   * The times of one run's kernels, without copies in and out. On WebGPU each is submitted by itself; on wasm a team meets after
   * each. A time is as fine as the realm's clock (5 µs on an isolated page, 100 µs on others): add up several profiles of short
   * kernels. States advance.
   */
  profile(inputs: RunInputs<I>): Promise<readonly KernelTime[]>
}

export interface StateAccess {
  read(name: string): Promise<Tensor>
  write(name: string, data: HostArray): Promise<void>
  reset(name?: string): Promise<void>
}

export interface LoadedModel<I, O> extends Runner<I, O> {
  readonly state: StateAccess
  /** The same weights and code with states of its own, as they are at first. */
  fork(): Promise<LoadedModel<I, O>>
  report(): Report
  /** Frees workers and memory, and ends what is under way in a worker; may be called twice. */
  dispose(): Promise<void>
}

export interface Model<I, O> {
  load(options?: LoadOptions): Promise<LoadedModel<I, O>>
}

/** A program: several entries over one weight set, one memory and shared states. */
export type Entries = Readonly<Record<string, { readonly inputs: Specs; readonly outputs: Specs }>>
export type LoadedProgram<E extends Entries> = { readonly [K in keyof E]: Runner<E[K]['inputs'], E[K]['outputs']> } & {
  readonly state: StateAccess
  fork(): Promise<LoadedProgram<E>>
  report(): Report
  dispose(): Promise<void>
}
export interface Program<E extends Entries> {
  load(options?: LoadOptions): Promise<LoadedProgram<E>>
}
