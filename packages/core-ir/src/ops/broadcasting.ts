/** @file NumPy broadcasting over symbolic shapes. */
import { type Index, constant, isConst } from '../index/index-expr.ts'
import type { TensorType } from '../graph/graph.ts'
import type { InferContext } from './define-op.ts'

/** The common shape, or undefined where two dims are neither equal nor 1. */
export const broadcastShapes = (
  a: readonly Index[],
  b: readonly Index[],
  context: Pick<InferContext, 'equal'>,
): Index[] | undefined => {
  const rank = Math.max(a.length, b.length)
  const result: Index[] = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? constant(1),
      y = b[b.length - rank + i] ?? constant(1)
    if (isConst(x, 1)) result.push(y)
    else if (isConst(y, 1) || context.equal(x, y)) result.push(x)
    else return undefined
  }
  return result
}

/** Subscripts into an operand of `shape` from those of the broadcast result. */
export const broadcastIndices = (out: readonly Index[], shape: readonly Index[]): Index[] =>
  shape.map((d, i) => (isConst(d, 1) ? constant(0) : (out[out.length - shape.length + i] ?? constant(0))))

/** The last two dims, swapped where `transposed`. */
export const lastDims = (t: TensorType, transposed: boolean): [Index, Index] => {
  const [p, q] = t.shape.slice(-2) as [Index, Index]
  return transposed ? [q, p] : [p, q]
}
