/** @file Conditions as scalars: comparisons of indices and their conjunctions. */
import { type Index, type Scalar, type Stmt, ix, scalar as sc } from '@quern/core-ir'
import { type Domain, provesLess, provesNonNegative } from './bounds.ts'

export const isLess = (a: Index, b: Index): Scalar => sc.binary('lt', sc.indexScalar(a), sc.indexScalar(b))
export const isAtLeast = (a: Index, b: Index): Scalar => sc.binary('ge', sc.indexScalar(a), sc.indexScalar(b))
export const allOf = (conditions: readonly Scalar[]): Scalar | undefined =>
  conditions.length === 0 ? undefined : conditions.reduce((a, b) => sc.binary('and', a, b))

/** What must still be tested so that 0 ≤ index < extent. */
export const insideConditions = (index: Index, extent: Index, d: Domain): Scalar[] => [
  ...(provesNonNegative(index, d) ? [] : [isAtLeast(index, ix.constant(0))]),
  ...(provesLess(index, extent, d) ? [] : [isLess(index, extent)]),
]

/** The statements under a condition, or as they are. */
export const guarded = (conditions: readonly Scalar[], then: readonly Stmt[]): readonly Stmt[] => {
  const condition = allOf(conditions)
  return condition === undefined ? then : [{ kind: 'if', condition, then, else: [] }]
}
