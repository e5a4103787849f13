/** @file How lowering starts and steps a reduction. */
import type { DType } from '@quern/artifact'
import {
  type AccumulateOp,
  type Index,
  type LocalBuffer,
  type LoopBuilder,
  type Scalar,
  isFloat,
  neutralOf,
  scalar as sc,
} from '@quern/core-ir'

export const neutral = (reducer: AccumulateOp, dtype: DType): Scalar => sc.literal(neutralOf(reducer, dtype), dtype)

/** What every element displaces or equals. */
export const worst = (reducer: 'argmax' | 'argmin', dtype: DType): Scalar =>
  neutral(reducer === 'argmax' ? 'max' : 'min', dtype)

/** `if value displaces best: best = value; position = at`: the first wins, and the first NaN beats everything. */
export const argUpdate = (
  builder: LoopBuilder,
  step: {
    readonly reducer: 'argmax' | 'argmin'
    readonly value: Scalar
    readonly at: Index
    readonly best: LocalBuffer
    readonly position: LocalBuffer
    readonly dtype: DType
  },
): void => {
  const { reducer, best, position, at, dtype } = step
  const value = step.value.kind === 'load' ? step.value : builder.let('candidate', step.value)
  const better = sc.binary(reducer === 'argmax' ? 'gt' : 'lt', value, best.at())
  const displaces = isFloat(value.dtype)
    ? sc.binary('or', better, sc.binary('and', sc.unary('isnan', value), sc.unary('not', sc.unary('isnan', best.at()))))
    : better
  builder.if(displaces, () => {
    builder.store(best, [], value)
    builder.store(position, [], sc.cast(sc.indexScalar(at, dtype === 'i64' ? 'i64' : 'i32'), dtype))
  })
}
