/** @file What must hold of symbols so that an index is not negative. */
import { type Index, add, constant, fromTerms, isConst, split } from './index-expr.ts'
import { type Range, type Ranges, provesLessEqual, rangeOf, simplify } from './range.ts'

/** A symbol may only take the values of a range. */
export interface Demand {
  readonly symbol: string
  readonly range: Range
}

/**
 * What must hold so that x is not negative: nothing where that is plain, else bounds of single symbols. undefined where no such
 * bounds say it: x is always negative, or relates symbols to each other.
 */
export const demandsOf = (x: Index, ranges: Ranges, depth = 0): readonly Demand[] | undefined => {
  const plain = simplify(x, ranges)
  if (provesLessEqual(constant(0), plain, ranges)) return []
  if (rangeOf(plain, ranges).max < 0) return undefined
  const { offset, terms } = split(plain)
  const [only, ...others] = terms
  if (only !== undefined && others.length === 0 && only.factors.length === 1 && only.factors[0]?.kind === 'var') {
    const limit = -offset / only.coef
    return [
      {
        symbol: only.factors[0].name,
        range: only.coef > 0 ? { min: Math.ceil(limit), max: Infinity } : { min: -Infinity, max: Math.floor(limit) },
      },
    ]
  }
  if (depth > 6) return undefined
  for (const [i, { coef, factors }] of terms.entries()) {
    const [atom] = factors
    if (factors.length !== 1 || atom === undefined) continue
    const rest = fromTerms(
      offset,
      terms.filter((_, at) => at !== i),
    )
    const times = (k: number, y: Index): Index => {
      const parts = split(y)
      return fromTerms(
        parts.offset * k,
        parts.terms.map(t => ({ ...t, coef: t.coef * k })),
      )
    }
    const instead = (k: number, y: Index) => demandsOf(add(rest, times(k, y)), ranges, depth + 1)
    if (atom.kind === 'min' || atom.kind === 'max') {
      const sides = [instead(coef, atom.lhs), instead(coef, atom.rhs)] as const
      return (atom.kind === 'min') === coef > 0 ? both(...sides) : either(...sides)
    }
    // (a - d + 1) / d ≤ floor(a / d) ≤ a / d
    if (atom.kind === 'div' && isConst(atom.den) && atom.den.value > 0 && coef % atom.den.value === 0) {
      const d = atom.den.value
      const bounded = instead(coef / d, coef > 0 ? add(atom.num, 1 - d) : atom.num)
      // As a bound this may ask for more than is needed, so it only proves.
      if (bounded?.length === 0) return bounded
    }
  }
  return undefined
}

type Demands = readonly Demand[] | undefined
const both = (a: Demands, b: Demands): Demands => (a === undefined || b === undefined ? undefined : [...a, ...b])
/** Where either of two bounds would do, neither may be chosen. */
const either = (a: Demands, b: Demands): Demands =>
  a === undefined ? b : b === undefined || a.length === 0 ? a : b.length === 0 ? b : undefined
