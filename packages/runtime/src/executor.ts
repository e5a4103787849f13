/** @file What a device backend offers to the loaded model. */
import type { DType, DeviceKind, DeviceTensor, HostArray, KernelTime } from '@quern/artifact'

export interface ExecutorRun {
  readonly entry: string
  /** In the order of the entry's inputs: host arrays, or tensors of this executor's device. */
  readonly inputs: readonly (HostArray | DeviceTensor)[]
  readonly symbols: Record<string, number>
  /** In the order of the outputs. */
  readonly into: readonly (HostArray | undefined)[]
  readonly outputs: 'cpu' | 'device'
}

export interface HostOutput {
  readonly shape: readonly number[]
  readonly data: HostArray
}
export type ExecutorOutput = HostOutput | DeviceTensor

export interface ExecutorStats {
  readonly arena: number
  readonly peak: number
  readonly dispatches: number
  readonly submits: number
}

export interface Executor {
  readonly device: DeviceKind
  readonly thread: 'caller' | 'worker'
  readonly threads: number
  readonly features: readonly string[]
  run(run: ExecutorRun): Promise<readonly ExecutorOutput[]>
  /** A run without copies out; `into` and `outputs` are ignored. */
  profile(run: ExecutorRun): Promise<readonly KernelTime[]>
  /** The shape of a tensor that lives on this executor's device; undefined for anything else. */
  deviceTensor(
    value: unknown,
  ): { readonly tensor: DeviceTensor; readonly dtype: DType; readonly shape: readonly number[] } | undefined
  readState(name: string): Promise<HostArray>
  writeState(name: string, data: HostArray): Promise<void>
  resetState(name?: string): Promise<void>
  /** Shares weights, has its own states and arena. */
  fork(): Promise<Executor>
  stats(): ExecutorStats
  /** @param idle settles when the runs that were asked for have ended */
  dispose(idle: Promise<unknown>): Promise<void>
}
