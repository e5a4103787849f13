/**
 * @file argmax and argmin as two reductions that every schedule knows: the extreme, and the least position that holds it.
 * Both are exact in any order, so vectors, threads and teams share them as they share a maximum; a leader and its
 * position carried together would be one serial loop. The price is that the operand is read twice.
 */
import { type ReduceAxis, type Scalar, isFloat, ix, scalar as sc } from '@quern/core-ir'

export interface ArgReduction {
  readonly extreme: 'max' | 'min'
  readonly axes: readonly ReduceAxis[]
  /** What is compared: truths count as numbers. */
  readonly body: Scalar
}

export const argReduction = (
  reducer: 'argmax' | 'argmin',
  { axes, body }: { readonly axes: readonly ReduceAxis[]; readonly body: Scalar },
): ArgReduction => ({
  extreme: reducer === 'argmax' ? 'max' : 'min',
  axes,
  body: body.dtype === 'bool' ? sc.cast(body, 'i32') : body,
})

/** Behind every position. */
const nowhere = sc.literal(2 ** 31 - 1, 'i32')

/**
 * What the second reduction takes the least of. Where there is a NaN the extreme is one and equals nothing, so the first
 * NaN wins; −0 equals +0 on both sides.
 */
export const candidate = ({ axes, body }: ArgReduction, extreme: Scalar): Scalar => {
  const [axis] = axes
  if (axis === undefined) throw new Error('the position of an extreme needs its one axis')
  const wins = sc.binary('eq', body, extreme)
  const takes = isFloat(body.dtype) ? sc.binary('or', wins, sc.unary('isnan', body)) : wins
  return sc.select(takes, sc.indexScalar(ix.variable(axis.name)), nowhere)
}

/** The result: zero over nothing. */
export const positionFrom = ({ axes }: ArgReduction, least: Scalar, dtype: Scalar['dtype']): Scalar => {
  const some = axes.every(a => ix.isConst(a.extent) && a.extent.value > 0)
  return sc.cast(some ? least : sc.select(sc.binary('eq', least, nowhere), sc.literal(0, 'i32'), least), dtype)
}
