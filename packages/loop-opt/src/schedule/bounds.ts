/** @file Proofs about indices over axes and symbols: symbolic bounds by eliminating axes, innermost first. */
import {
  type Atom,
  type Index,
  type Kernel,
  type Range,
  type Ranges,
  type Scalar,
  type Term,
  ix,
  rangeOf,
  simplify,
} from '@quern/core-ir'
import { variablesOf } from './tree.ts'

/** What is known at a point of a kernel: the axes around it, outermost first, ranges of symbols, and indices known to be ≥ 0. */
export interface Domain {
  readonly axes: readonly { readonly name: string; readonly extent: Index }[]
  readonly symbols: Ranges
  /** Intervals of symbols and axes. */
  readonly ranges: Ranges
  readonly facts: readonly Index[]
}

export const domainOf = (kernel: Kernel): Domain => {
  const symbols = new Map(kernel.symbols.map(s => [s.name, { min: s.min, max: s.max ?? Infinity }]))
  return { axes: [], facts: [], symbols, ranges: symbols }
}

export const withAxis = (d: Domain, name: string, extent: Index): Domain => withAxes(d, [{ name, extent }])
/** Outermost first; the extent of one may depend on those before it. */
export const withAxes = (d: Domain, axes: Domain['axes']): Domain => {
  const ranges = new Map<string, Range>(d.ranges)
  for (const { name, extent } of axes) ranges.set(name, { min: 0, max: Math.max(0, rangeOf(extent, ranges).max - 1) })
  return { ...d, ranges, axes: [...d.axes, ...axes] }
}
export const withFacts = (d: Domain, facts: readonly Index[]): Domain =>
  facts.length === 0 ? d : { ...d, facts: [...d.facts, ...facts] }

/** Whether an index holds anything but variables: what simplification may act on. */
export const isCompound = (x: Index): boolean =>
  x.kind === 'sum' ? x.terms.some(t => t.factors.some(f => f.kind !== 'var')) : x.kind !== 'const' && x.kind !== 'var'

/** {@link simplify}, where there is anything to simplify. */
export const simplified = (x: Index, d: Domain): Index => (isCompound(x) ? simplify(x, d.ranges) : x)

/** Replaces `d * (x // d)` by `x - x % d`, so that quotients and remainders of one number meet and cancel. */
export const mergeQuotients = (x: Index): Index => {
  if (!isCompound(x)) return x
  if (x.kind !== 'sum') return x.kind === 'const' ? x : mergeTerms(0, [{ coef: 1, factors: [x] }])
  return mergeTerms(x.offset, x.terms)
}
const mergeTerms = (offset: number, terms: readonly Term[]): Index => {
  const merged = terms.map((t): Index => {
    for (const [at, f] of t.factors.entries()) {
      if (f.kind !== 'div') continue
      const rest = t.factors.filter((_, i) => i !== at)
      const whole = ix.sub(f.num, ix.mod(f.num, f.den))
      if (ix.isConst(f.den)) {
        if (t.coef % f.den.value === 0) return mergeQuotients(ix.mul(t.coef / f.den.value, ...rest, whole))
      } else {
        const by = rest.findIndex(r => r.key === f.den.key)
        if (by >= 0) return mergeQuotients(ix.mul(t.coef, ...rest.filter((_, i) => i !== by), whole))
      }
    }
    return ix.fromTerms(0, [t])
  })
  return ix.add(offset, ...merged)
}

type Direction = 'upper' | 'lower'
const flip = (d: Direction): Direction => (d === 'upper' ? 'lower' : 'upper')

/**
 * The largest (smallest) value of an index over the given axes, as an index over what is left; undefined where it is not
 * known. A bound, not always attained: correlated quotients are bounded one by one.
 */
export const extreme = (x: Index, direction: Direction, axes: Domain['axes'], ranges: Ranges): Index | undefined => {
  let current: Index | undefined = mergeQuotients(x)
  for (const axis of [...axes].reverse()) {
    if (current === undefined) return undefined
    current = eliminate(current, direction, axis, ranges)
    if (current !== undefined) current = mergeQuotients(current)
  }
  return current
}

const mentions = (x: Index, name: string): boolean => {
  switch (x.kind) {
    case 'const':
      return false
    case 'var':
      return x.name === name
    case 'sum':
      return x.terms.some(t => t.factors.some(f => mentions(f, name)))
    case 'div':
    case 'mod':
      return mentions(x.num, name) || mentions(x.den, name)
    case 'min':
    case 'max':
      return mentions(x.lhs, name) || mentions(x.rhs, name)
    case 'value':
      return variablesOf(x).has(name)
  }
}

const eliminate = (
  x: Index,
  direction: Direction,
  axis: { name: string; extent: Index },
  ranges: Ranges,
): Index | undefined => {
  if (!mentions(x, axis.name)) return x
  const { offset, terms } = ix.split(x)
  let coefficient: Index = ix.constant(0),
    rest: Index = ix.constant(offset)
  for (const t of terms) {
    const direct = t.factors.filter(f => f.kind === 'var' && f.name === axis.name)
    const others = t.factors.filter(f => !(f.kind === 'var' && f.name === axis.name))
    const nested = others.filter(f => mentions(f, axis.name))
    if (nested.length === 0 && direct.length === 0) rest = ix.add(rest, ix.fromTerms(0, [t]))
    else if (nested.length === 0 && direct.length === 1) coefficient = ix.add(coefficient, ix.mul(t.coef, ...others))
    else {
      const [only] = nested
      if (nested.length !== 1 || direct.length > 0 || only === undefined) return undefined
      const factor = ix.mul(t.coef, ...others.filter(f => f !== only))
      const sign = rangeOf(factor, ranges)
      const way = sign.min >= 0 ? direction : sign.max <= 0 ? flip(direction) : undefined
      const bound = way === undefined ? undefined : boundAtom(only, way, axis, ranges)
      if (bound === undefined) return undefined
      rest = ix.add(rest, ix.mul(factor, bound))
    }
  }
  if (ix.isConst(coefficient, 0)) return rest
  const sign = rangeOf(coefficient, ranges)
  const last = ix.sub(axis.extent, 1)
  if (sign.min >= 0) return direction === 'upper' ? ix.add(rest, ix.mul(coefficient, last)) : rest
  if (sign.max <= 0) return direction === 'upper' ? rest : ix.add(rest, ix.mul(coefficient, last))
  return undefined
}

const boundAtom = (
  atom: Atom,
  direction: Direction,
  axis: { name: string; extent: Index },
  ranges: Ranges,
): Index | undefined => {
  const inner = (x: Index): Index | undefined => eliminate(mergeQuotients(x), direction, axis, ranges)
  switch (atom.kind) {
    case 'var':
    case 'value':
      return undefined
    case 'div': {
      if (mentions(atom.den, axis.name) || rangeOf(atom.den, ranges).min <= 0) return undefined
      const num = inner(atom.num)
      return num === undefined ? undefined : ix.floorDiv(num, atom.den)
    }
    case 'mod':
      return mentions(atom.den, axis.name) ? undefined : direction === 'upper' ? ix.sub(atom.den, 1) : ix.constant(0)
    case 'min':
    case 'max': {
      const lhs = inner(atom.lhs),
        rhs = inner(atom.rhs)
      if (lhs === undefined || rhs === undefined) return undefined
      return atom.kind === 'min' ? ix.min(lhs, rhs) : ix.max(lhs, rhs)
    }
  }
}

/** Whether x ≥ 0 wherever the domain holds. */
export const provesNonNegative = (x: Index, d: Domain): boolean => {
  const { ranges } = d
  const direct = (y: Index): boolean => {
    if (rangeOf(y, ranges).min >= 0) return true
    const least = extreme(y, 'lower', d.axes, ranges)
    return least !== undefined && rangeOf(least, d.symbols).min >= 0
  }
  const simple = simplified(x, d)
  return direct(simple) || d.facts.some(f => direct(ix.sub(simple, f)))
}
export const provesLess = (a: Index, b: Index, d: Domain): boolean => provesNonNegative(ix.sub(ix.sub(b, a), 1), d)
export const provesInside = (x: Index, extent: Index, d: Domain): boolean =>
  provesNonNegative(x, d) && provesLess(x, extent, d)

/** What a condition says, as indices that are ≥ 0; `complete` where nothing else is in it. */
export const factsOf = (condition: Scalar): { facts: readonly Index[]; complete: boolean } => {
  if (condition.kind !== 'binary')
    return { facts: [], complete: condition.kind === 'const' && Number(condition.value) === 1 }
  if (condition.op === 'and') {
    const l = factsOf(condition.lhs),
      r = factsOf(condition.rhs)
    return { facts: [...l.facts, ...r.facts], complete: l.complete && r.complete }
  }
  const a = indexOf(condition.lhs),
    b = indexOf(condition.rhs)
  if (a === undefined || b === undefined) return { facts: [], complete: false }
  switch (condition.op) {
    case 'lt':
      return { facts: [ix.sub(ix.sub(b, a), 1)], complete: true }
    case 'le':
      return { facts: [ix.sub(b, a)], complete: true }
    case 'gt':
      return { facts: [ix.sub(ix.sub(a, b), 1)], complete: true }
    case 'ge':
      return { facts: [ix.sub(a, b)], complete: true }
    case 'eq':
      return { facts: [ix.sub(a, b), ix.sub(b, a)], complete: true }
    default:
      return { facts: [], complete: false }
  }
}

/** What the failure of a condition says, where that is one comparison. */
export const negatedFactsOf = (condition: Scalar): readonly Index[] => {
  const { facts, complete } = factsOf(condition)
  const [only] = facts
  return complete && facts.length === 1 && only !== undefined ? [ix.sub(-1, only)] : []
}

/** An integer scalar as an index, where it is plainly one. */
export const indexOf = (x: Scalar): Index | undefined =>
  x.kind === 'index' ? x.index : x.kind === 'const' && x.dtype === 'i32' ? ix.constant(Number(x.value)) : undefined
