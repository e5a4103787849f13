/** @file Activations and softmax. */
import { checkOptions } from '../arguments.ts'
import { axisOf } from '../ops/axis.ts'
import type { AnyShape } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import type { Float } from './float.ts'

/** max(x, 0). */
export const relu = <D extends Float, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, S> => apply('relu', [x])
/** x Φ(x), with erf; `approximate: 'tanh'` for the tanh form. */
export const gelu = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  options: { readonly approximate?: 'none' | 'tanh' } = {},
): Tensor<D, S> => {
  checkOptions('gelu', options, ['approximate'])
  return apply('gelu', [x], { approximate: options.approximate ?? 'none' })
}
/** x · sigmoid(x). */
export const silu = <D extends Float, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, S> => apply('silu', [x])
/** exp(x) / Σ exp(x) along an axis, shifted by the maximum. */
export const softmax = <D extends Float, S extends AnyShape>(x: Tensor<D, S>, axis = -1): Tensor<D, S> =>
  apply('softmax', [x], { axis: axisOf('softmax', x, axis) })

/** x − log Σ exp(x) along an axis, shifted by the maximum. */
export const logSoftmax = <D extends Float, S extends AnyShape>(x: Tensor<D, S>, axis = -1): Tensor<D, S> =>
  apply('log-softmax', [x], { axis: axisOf('log-softmax', x, axis) })
