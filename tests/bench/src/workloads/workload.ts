/** @file What a workload states, once, for the judge and for every contestant. */
import type * as jaxLibrary from '@jax-js/jax'
import type * as tfLibrary from '@tensorflow/tfjs-core'
import type { Weights } from '../networks/weights.ts'

export type Tfjs = typeof tfLibrary
export type Jax = typeof jaxLibrary
export type JaxArray = jaxLibrary.Array

export interface Input {
  readonly shape: readonly number[]
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>
}
export type Inputs = Readonly<Record<string, Input>>

type Named<T> = Readonly<Record<string, T>>

/** A network as the users of one library would ship it. */
export interface Form<Library, Value> {
  /** What its users do to the weights before they ship them (other layouts, batch norms folded). */
  readonly weights?: (weights: Weights) => Weights
  /** Its own layout of the inputs. */
  readonly inputs?: (inputs: Inputs) => Inputs
  /** Its output, back in the judge's layout. Not timed. */
  readonly output?: (data: Float32Array) => Float32Array
  /** The forward function. The first result is the output; others are state, which stays in the library. */
  build(library: Library): (inputs: Named<Value>, weights: Named<Value>) => readonly Value[]
}

export interface Cost {
  readonly kind: 'flops' | 'copy' | 'read'
  readonly amount: number
}

export interface Workload {
  readonly name: string
  /** What `--only` may also say: the kind of workload. */
  readonly group: string
  readonly title: string
  /** What one run cannot do without: operations; bytes, half read and half written; or bytes that are only read. */
  readonly cost: Cost
  /** Largest difference to the judge that still counts as right, relative to the judge's largest element. */
  readonly tolerance: number
  readonly inputs: () => Inputs
  readonly weights: () => Weights
  readonly output: readonly number[]
  /** The model as an exporter writes it. */
  readonly onnx: (weights: Weights) => Uint8Array<ArrayBuffer>
  readonly quern?: {
    /** What our model keeps as states: written before the first run only, and no inputs. */
    readonly states: (inputs: Inputs) => Readonly<Record<string, Float32Array<ArrayBuffer>>>
  }
  readonly tfjs: Form<Tfjs, tfLibrary.Tensor>
  readonly jax: Form<Jax, JaxArray>
}
