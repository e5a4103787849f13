/** @file Index notation over a buffer in row-major order: `at` is a load, `atOr` a guarded one. */
import type { TensorType } from '../graph/graph.ts'
import { type Index, isConst, toIndex } from '../index/index-expr.ts'
import { type Scalar, binary, indexScalar, literal, load } from '../scalar/scalar.ts'
import type { Operand } from './define-op.ts'

export const operandOf = (buffer: string, type: TensorType): Operand => ({
  type,
  at: (...indices) => load(buffer, type.dtype, indices.map(toIndex)),
  atOr: (indices, fill) => {
    const at = indices.map(toIndex)
    const guard = insideGuard(at, type.shape)
    return guard === undefined ? load(buffer, type.dtype, at) : load(buffer, type.dtype, at, { guard, fill })
  },
})

/** Whether every index is inside its extent; undefined where that is plain. */
export const insideGuard = (indices: readonly Index[], shape: readonly Index[]): Scalar | undefined => {
  const tests = indices.flatMap((i, d) => {
    const extent = shape[d]
    if (extent === undefined) throw new RangeError(`index ${d} into rank ${shape.length}`)
    if (isConst(i) && i.value >= 0 && isConst(extent) && i.value < extent.value) return []
    return [binary('ge', indexScalar(i), literal(0, 'i32')), binary('lt', indexScalar(i), indexScalar(extent))]
  })
  const [first, ...rest] = tests
  return first === undefined ? undefined : rest.reduce((a, t) => binary('and', a, t), first)
}
