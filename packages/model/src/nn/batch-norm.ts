/** @file Batch normalisation, as inference does it. */
import { type Constraint, printTensorType } from '@quern/core-ir'
import type { AnyShape } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import { type Types, checkLayer, checkWeights, defineLayer, isFloat, rankAtLeast, sameDTypes } from './define-layer.ts'
import type { Float } from './float.ts'

/** One number for each channel of x, or nothing. */
const fitsChannels = (operand: string): Constraint<Types, unknown> => ({
  id: `${operand}-fits`,
  says: `${operand} to be [channels], where channels is the second dim of x`,
  holds: ({ x, [operand]: t }, _, context) =>
    t === undefined || (t.shape.length === 1 && context.equal(t.shape[0] ?? -1, x?.shape[1] ?? -1)),
  found: ({ x, [operand]: t }) => `it is ${t && printTensorType(t)} for ${x && printTensorType(x)}`,
})

export const batchNormLayer = defineLayer()({
  name: 'batchNorm',
  doc: '(x − mean) / √(variance + ε) · weight + bias for each channel, the second dim of x.',
  operands: ['x', 'mean', 'variance', 'weight?', 'bias?'],
  constraints: [
    isFloat('x'),
    rankAtLeast('x', 2, ''),
    sameDTypes('x', 'mean', 'variance', 'weight', 'bias'),
    ...['mean', 'variance', 'weight', 'bias'].map(fitsChannels),
  ],
})

export interface BatchNormWeights<D extends Float> {
  /** [channels], what PyTorch calls `running_mean` and `running_var`. */
  readonly mean: Tensor<D>
  readonly variance: Tensor<D>
  readonly weight?: Tensor<D>
  readonly bias?: Tensor<D>
}

/**
 * (x − mean) / √(variance + ε) · weight + bias for each channel, dim 1 of x. Behind a convolution or a linear layer it costs
 * nothing: it becomes part of their weights when the model is compiled.
 */
export const batchNorm = <D extends Float, S extends AnyShape>(
  x: Tensor<D, S>,
  weights: BatchNormWeights<D>,
  epsilon = 1e-5,
): Tensor<D, S> => {
  checkWeights(batchNormLayer, weights)
  const { mean, variance, weight, bias } = weights
  checkLayer(batchNormLayer, [x, mean, variance, weight, bias], {})
  return apply('batch-norm', [x, mean, variance, weight, bias], { epsilon })
}
