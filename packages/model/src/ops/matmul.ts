/** @file Matrix products. */
import type { DType } from '@quern/artifact'
import type { Fits, MatmulMistake } from '../shape-mistakes.ts'
import type { AnyShape, MatmulShape } from '../shape-types.ts'
import { type Tensor, apply } from '../tensor.ts'

/** Matrix product over the last two dims: [..., m, k] × [..., k, n] → [..., m, n]; leading dims broadcast. */
export const matmul = <D extends DType, A extends AnyShape, B extends AnyShape>(
  lhs: Tensor<D, A>,
  rhs: Tensor<D, B> & Fits<MatmulMistake<A, B>>,
): Tensor<D, MatmulShape<A, B>> => apply('matmul', [lhs, rhs])
