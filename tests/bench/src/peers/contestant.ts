/** @file What takes part in a measurement, and how it is opened. */
import type { Inputs, Workload } from '../workloads/workload.ts'
import type { Weights } from '../networks/weights.ts'

export interface Contestant {
  /** One run: typed arrays in, a typed array out. */
  run(): Promise<Float32Array> | Float32Array
  /** The output in the judge's layout; absent where it is that already. */
  readonly judged?: (output: Float32Array) => Float32Array
}

export interface Scene {
  readonly workload: Workload
  readonly inputs: Inputs
  /** Made once, on the first call, and shared. */
  weights(): Weights
  readonly threads: number
}

export interface Peer {
  readonly id: string
  /** `undefined` where it has no part in this workload. Rejects where it cannot run it. */
  open(scene: Scene): Promise<Contestant | undefined>
}
