/** @file How lowering starts and steps a reduction. */
import type { DType } from '@quern/artifact'
import {
  type AccumulateOp,
  type BufferRef,
  type Index,
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

/** `if value displaces best: best = value; buffer = position`: the first wins, and the first NaN beats everything. */
export const argUpdate = (
  builder: LoopBuilder,
  step: {
    readonly reducer: 'argmax' | 'argmin'
    readonly value: Scalar
    readonly position: Index
    readonly best: BufferRef
    readonly buffer: BufferRef
    readonly at: readonly Index[]
    readonly dtype: DType
  },
): void => {
  const { reducer, best, buffer, at, dtype } = step
  const value = step.value.kind === 'load' ? step.value : builder.let('candidate', step.value)
  const leader = sc.load(best.name, value.dtype, at)
  const better = sc.binary(reducer === 'argmax' ? 'gt' : 'lt', value, leader)
  const displaces = isFloat(value.dtype)
    ? sc.binary('or', better, sc.binary('and', sc.unary('isnan', value), sc.unary('not', sc.unary('isnan', leader))))
    : better
  const position = sc.cast(sc.indexScalar(step.position, dtype === 'i64' ? 'i64' : 'i32'), dtype)
  builder.if(displaces, () => {
    builder.store(best, at, value)
    builder.store(buffer, at, position)
  })
}
