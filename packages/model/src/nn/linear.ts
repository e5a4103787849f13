/** @file The fully connected layer. */
import { broadcastTo } from '../ops/unify.ts'
import type { Fits, LinearMistake } from '../shape-mistakes.ts'
import type { AnyShape, WithLast } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'
import {
  biasFits,
  checkLayer,
  checkWeights,
  defineLayer,
  dimsAgree,
  isFloat,
  rankAtLeast,
  rankIs,
  sameDTypes,
} from './define-layer.ts'
import type { Float } from './float.ts'

export interface LinearWeights<D extends Float, O extends number = number, I extends number = number> {
  /** [out, in], as PyTorch stores it. */
  readonly weight: Tensor<D, readonly [O, I]>
  /** [out]. */
  readonly bias?: Tensor<D>
}

export const linearLayer = defineLayer()({
  name: 'linear',
  doc: 'x W^T + b over the last dim: [..., in] → [..., out].',
  operands: ['x', 'weight', 'bias?'],
  constraints: [
    isFloat('x'),
    rankAtLeast('x', 2, ': unsqueeze(x, 0) makes it a batch of one'),
    rankIs('weight', 2, '[out, in]'),
    sameDTypes('x', 'weight', 'bias'),
    dimsAgree('x', -1, 'weight', 1, '[out, in]'),
    biasFits('weight'),
  ],
})

/** x W^T + b over the last dim: [..., in] → [..., out]. */
export const linear = <D extends Float, S extends AnyShape, O extends number, I extends number>(
  x: Tensor<D, S> & Fits<LinearMistake<S, I>>,
  weights: LinearWeights<D, O, I>,
): Tensor<D, WithLast<S, O>> => {
  checkWeights(linearLayer, weights)
  const { weight, bias } = weights
  checkLayer(linearLayer, [x, weight, bias], {})
  const y = apply<D, WithLast<S, O>>('matmul', [x, weight], { transposeRhs: true })
  return bias === undefined ? y : apply('add', [y, broadcastTo(bias, y.type.shape)])
}
