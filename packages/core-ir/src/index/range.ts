/** @file Interval analysis of index expressions, and the simplifications that need it. */
import {
  type Atom,
  type Index,
  add,
  constant,
  floorDiv,
  fromTerms,
  isConst,
  mapAtoms,
  mod,
  mul,
  split,
  sub,
  visitAtoms,
} from './index-expr.ts'

/** A closed interval; either end may be infinite. */
export interface Range {
  readonly min: number
  readonly max: number
  /** A bound over other names, where one is known: an axis of extent n is at most n - 1, whatever n is. */
  readonly upper?: Index
}
export type Ranges = ReadonlyMap<string, Range>
export const anyRange: Range = { min: -Infinity, max: Infinity }

const times = (a: Range, b: Range): Range => {
  const ends = [a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max].map(x => (Number.isNaN(x) ? 0 : x))
  return { min: Math.min(...ends), max: Math.max(...ends) }
}

/** The interval of an index, given those of its variables; a name without one is unbounded. */
export const rangeOf = (x: Index, ranges: Ranges): Range => {
  switch (x.kind) {
    case 'const':
      return { min: x.value, max: x.value }
    case 'var':
      return ranges.get(x.name) ?? anyRange
    case 'value':
      return x.scalar.dtype.startsWith('u') ? { min: 0, max: Infinity } : anyRange
    case 'sum':
      return x.terms.reduce(
        (sum, term) => {
          const t = term.factors.reduce((p, f) => times(p, rangeOf(f, ranges)), { min: term.coef, max: term.coef })
          return { min: sum.min + t.min, max: sum.max + t.max }
        },
        { min: x.offset, max: x.offset },
      )
    case 'div': {
      const n = rangeOf(x.num, ranges),
        d = rangeOf(x.den, ranges)
      if (d.min <= 0) return anyRange
      const ends = [n.min / d.min, n.min / d.max, n.max / d.min, n.max / d.max].map(e =>
        Number.isNaN(e) ? 0 : Math.floor(e),
      )
      return { min: Math.min(...ends), max: Math.max(...ends) }
    }
    case 'mod': {
      const d = rangeOf(x.den, ranges),
        n = rangeOf(x.num, ranges)
      return n.min >= 0 && n.max < d.min ? n : { min: 0, max: n.min >= 0 ? Math.min(d.max - 1, n.max) : d.max - 1 }
    }
    case 'min': {
      const a = rangeOf(x.lhs, ranges),
        b = rangeOf(x.rhs, ranges)
      return { min: Math.min(a.min, b.min), max: Math.min(a.max, b.max) }
    }
    case 'max': {
      const a = rangeOf(x.lhs, ranges),
        b = rangeOf(x.rhs, ranges)
      return { min: Math.max(a.min, b.min), max: Math.max(a.max, b.max) }
    }
  }
}

/** The range of an axis: from 0 to one less than its extent. */
export const axisRange = (extent: Index, ranges: Ranges): Range => ({
  min: 0,
  max: rangeOf(extent, ranges).max - 1,
  upper: sub(extent, 1),
})

/** The least value of an index that the ranges prove, the bounds over other names included. */
const leastOf = (x: Index, ranges: Ranges): number => {
  let least = rangeOf(x, ranges).min
  let bounded = x
  // Each round replaces one name by its bound; bounds mention outer names only, so that it ends.
  for (let round = 0; round < 16; round++) {
    const name = namesOf(bounded).find(n => ranges.get(n)?.upper !== undefined && fallsWith(bounded, n, ranges))
    const upper = name === undefined ? undefined : ranges.get(name)?.upper
    if (upper === undefined) break
    bounded = mapAtoms(bounded, atom => (atom.kind === 'var' && atom.name === name ? upper : undefined))
    least = Math.max(least, rangeOf(bounded, ranges).min)
  }
  return least
}

const namesOf = (x: Index): string[] => {
  const names = new Set<string>()
  for (const t of split(x).terms) for (const f of t.factors) if (f.kind === 'var') names.add(f.name)
  return [...names]
}

/** Whether x never grows with the name, which then stands only in products with a sign that is known. */
const fallsWith = (x: Index, name: string, ranges: Ranges): boolean => {
  let found = false
  for (const { coef, factors } of split(x).terms) {
    const direct = factors.filter(f => f.kind === 'var' && f.name === name).length
    const others = factors.filter(f => !(f.kind === 'var' && f.name === name))
    if (others.some(f => mentions(f, name))) return false
    if (direct === 0) continue
    if (direct > 1 || coef > 0 || others.some(f => rangeOf(f, ranges).min < 0)) return false
    found = true
  }
  return found
}

const mentions = (x: Index, name: string): boolean => {
  let found = false
  visitAtoms(x, atom => {
    if (atom.kind === 'var' && atom.name === name) found = true
    if (atom.kind === 'value' && atom.key.includes(name)) found = true
  })
  return found
}

/** Whether a < b, a ≤ b … for every value in range. */
export const provesLess = (a: Index, b: Index, ranges: Ranges): boolean => leastOf(sub(b, a), ranges) > 0
export const provesLessEqual = (a: Index, b: Index, ranges: Ranges): boolean => leastOf(sub(b, a), ranges) >= 0

/** Uses ranges to remove div, mod, min and max that cannot act. Idempotent. */
export const simplify = (x: Index, ranges: Ranges): Index =>
  mapAtoms(x, (atom: Atom): Index | undefined => {
    switch (atom.kind) {
      case 'var':
      case 'value':
        return undefined
      case 'min':
      case 'max': {
        const lhs = simplify(atom.lhs, ranges),
          rhs = simplify(atom.rhs, ranges)
        if (provesLessEqual(lhs, rhs, ranges)) return atom.kind === 'min' ? lhs : rhs
        if (provesLessEqual(rhs, lhs, ranges)) return atom.kind === 'min' ? rhs : lhs
        return undefined
      }
      case 'div':
      case 'mod': {
        const num = simplify(atom.num, ranges),
          den = simplify(atom.den, ranges)
        return atom.kind === 'div' ? divideInRange(num, den, ranges) : remainderInRange(num, den, ranges)
      }
    }
  })

/** Terms of num that den divides, and the rest; den may be symbolic with a single term. */
const partition = (num: Index, den: Index): { whole: Index; rest: Index } => {
  const { offset, terms } = split(num)
  let whole = constant(0),
    rest = fromTerms(offset, [])
  for (const term of terms) {
    const one = fromTerms(0, [term])
    const q = floorDiv(one, den)
    if (sameProduct(q, den, one)) whole = add(whole, q)
    else rest = add(rest, one)
  }
  if (isConst(den)) {
    const k = Math.floor(offset / den.value)
    whole = add(whole, k)
    rest = add(rest, -k * den.value)
  }
  return { whole, rest }
}
const sameProduct = (q: Index, den: Index, num: Index): boolean => q.kind !== 'div' && mul(q, den).key === num.key

const fits = (rest: Index, den: Index, ranges: Ranges): boolean =>
  rangeOf(rest, ranges).min >= 0 && provesLess(rest, den, ranges)

const divideInRange = (num: Index, den: Index, ranges: Ranges): Index => {
  const { whole, rest } = partition(num, den)
  return fits(rest, den, ranges) ? whole : floorDiv(num, den)
}

const remainderInRange = (num: Index, den: Index, ranges: Ranges): Index => {
  const { rest } = partition(num, den)
  return fits(rest, den, ranges) ? rest : mod(rest, den)
}
