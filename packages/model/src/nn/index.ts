/** @file Layers and activations, named as PyTorch names them. Weights are records of tensors: no classes, no hidden state. */
import type { Dim } from '@quern/artifact'
import { ix } from '@quern/core-ir'
import { axisOf } from '../ops/movement.ts'
import type { AnyShape, SameRank, WithLast } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import { broadcastTo } from '../ops/elementwise.ts'

export { flatten } from '../ops/movement.ts'
export { sigmoid, tanh } from '../ops/elementwise.ts'

type Float = 'f32' | 'f16' | 'f64'

/** max(x, 0). */
export const relu = <D extends Float, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, S> => apply('relu', [x])
/** x Φ(x), with erf; `approximate: 'tanh'` for the tanh form. */
export const gelu = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  options: { readonly approximate?: 'none' | 'tanh' } = {},
): Tensor<D, S> => apply('gelu', [x], { approximate: options.approximate ?? 'none' })
/** x · sigmoid(x). */
export const silu = <D extends Float, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, S> => apply('silu', [x])
/** exp(x) / Σ exp(x) along an axis, shifted by the maximum. */
export const softmax = <D extends Float, S extends AnyShape>(x: Tensor<D, S>, axis = -1): Tensor<D, S> =>
  apply('softmax', [x], { axis: axisOf('softmax', x, axis) })

/** x − log Σ exp(x) along an axis, shifted by the maximum. */
export const logSoftmax = <D extends Float, S extends AnyShape>(x: Tensor<D, S>, axis = -1): Tensor<D, S> =>
  apply('log-softmax', [x], { axis: axisOf('log-softmax', x, axis) })

export interface LinearWeights<D extends Float, O extends number = number> {
  /** [out, in], as PyTorch stores it. */
  readonly weight: Tensor<D, readonly [O, number]>
  /** [out]. */
  readonly bias?: Tensor<D>
}
/** x W^T + b over the last dim: [..., in] → [..., out]. */
export const linear = <D extends Float, S extends AnyShape, O extends number>(
  x: Tensor<D, S>,
  { weight, bias }: LinearWeights<D, O>,
): Tensor<D, WithLast<S, O>> => {
  const y = apply<D, WithLast<S, O>>('matmul', [x, weight], { transposeRhs: true })
  return bias === undefined ? y : apply('add', [y, broadcastTo(bias, y.type.shape)])
}

export interface ConvWeights<D extends Float, O extends number = number> {
  /** [out, in / groups, kernel height, kernel width]. */
  readonly weight: Tensor<D, readonly [O, number, number, number]>
  /** [out]. */
  readonly bias?: Tensor<D>
}
export interface ConvOptions {
  readonly stride?: number | readonly [number, number]
  /** Rows and columns of zeros on each side. */
  readonly padding?: number | readonly [number, number]
  readonly dilation?: number | readonly [number, number]
  readonly groups?: number
}
const pair = (x: number | readonly [number, number] | undefined, fallback: number): readonly [number, number] =>
  x === undefined ? [fallback, fallback] : typeof x === 'number' ? [x, x] : x
type BatchOf<S extends AnyShape> = S extends readonly [infer N extends number | Dim, ...AnyShape] ? N : number

/** 2-D cross-correlation: [n, in, h, w] → [n, out, h', w']. */
export const conv2d = <D extends Float, S extends AnyShape, O extends number>(
  x: Tensor<D, S>,
  { weight, bias }: ConvWeights<D, O>,
  options: ConvOptions = {},
): Tensor<D, readonly [BatchOf<S>, O, number, number]> => {
  const padding = pair(options.padding, 0)
  const y = apply<D, readonly [BatchOf<S>, O, number, number]>('conv', [x, weight], {
    strides: pair(options.stride, 1),
    pads: [...padding, ...padding],
    dilations: pair(options.dilation, 1),
    groups: options.groups ?? 1,
  })
  if (bias === undefined) return y
  const column = apply('reshape', [bias], { shape: [ix.product(bias.type.shape), ix.constant(1), ix.constant(1)] })
  return apply('add', [y, broadcastTo(column, y.type.shape)])
}

export interface PoolOptions {
  /** Default: the kernel's size. */
  readonly stride?: number | readonly [number, number]
  readonly padding?: number | readonly [number, number]
}
const pool =
  (op: string) =>
  <D extends Float, S extends AnyShape>(
    x: Tensor<D, S>,
    kernel: number | readonly [number, number],
    options: PoolOptions = {},
  ): Tensor<D, SameRank<S>> => {
    const size = pair(kernel, 1),
      padding = pair(options.padding, 0)
    return apply(op, [x], {
      kernel: size,
      strides: options.stride === undefined ? size : pair(options.stride, 1),
      pads: [...padding, ...padding],
    })
  }
/** Largest of each window, over the last two dims of [n, c, h, w]. */
export const maxPool = pool('max-pool')
/** Mean of each window, over the last two dims of [n, c, h, w]; padding counts as zeros. */
export const avgPool = pool('avg-pool')

/** (x − mean) / √(var + ε) · weight + bias over the last dim. */
export const layerNorm = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  { weight, bias }: { readonly weight?: Tensor<D>; readonly bias?: Tensor<D> } = {},
  epsilon = 1e-5,
): Tensor<D, S> => apply('layer-norm', [x, weight, bias], { epsilon })

/**
 * x / √(mean(x²) + ε) · weight over the last dim.
 * @throws rms-norm/scale-fits unless the weight has the dtype and the last dim of x
 */
export const rmsNorm = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  { weight }: { readonly weight?: Tensor<D> } = {},
  epsilon = 1e-5,
): Tensor<D, S> => apply('rms-norm', [x, weight], { epsilon })
