/**
 * @file Integer index expressions: shapes over symbols, loop extents, and subscripts over axes.
 * One type serves all three, in a canonical form: constructors fold, collect like terms and sort, so that
 * equal polynomials have equal keys.
 */
import type { Scalar } from '../scalar/scalar.ts'

/** A product of atoms with an integer coefficient. */
export interface Term {
  readonly coef: number
  readonly factors: readonly Atom[]
}

export type Atom =
  | { readonly kind: 'var'; readonly name: string; readonly key: string }
  | { readonly kind: 'div'; readonly num: Index; readonly den: Index; readonly key: string }
  | { readonly kind: 'mod'; readonly num: Index; readonly den: Index; readonly key: string }
  | { readonly kind: 'min'; readonly lhs: Index; readonly rhs: Index; readonly key: string }
  | { readonly kind: 'max'; readonly lhs: Index; readonly rhs: Index; readonly key: string }
  /** An integer loaded or computed from data (gather's subscript, a count). */
  | { readonly kind: 'value'; readonly scalar: Scalar; readonly key: string }

export type Index =
  | { readonly kind: 'const'; readonly value: number; readonly key: string }
  | Atom
  | { readonly kind: 'sum'; readonly offset: number; readonly terms: readonly Term[]; readonly key: string }

/** Anything a caller may write where an index is wanted. */
export type IndexLike = Index | number

export const constant = (value: number): Index => {
  if (!Number.isSafeInteger(value)) throw new RangeError(`an index constant must be a safe integer, not ${value}`)
  return { kind: 'const', value: unsigned(value), key: `${value}` }
}
/** There is one zero: products with −1 make the other. */
const unsigned = (x: number): number => (x === 0 ? 0 : x)
export const variable = (name: string): Index => ({ kind: 'var', name, key: name })
export const fromScalar = (scalar: Scalar): Index => ({ kind: 'value', scalar, key: `value(${scalar.key})` })
export const toIndex = (x: IndexLike): Index => (typeof x === 'number' ? constant(x) : x)

export function isConst(x: Index): x is Extract<Index, { kind: 'const' }>
export function isConst(x: Index, value: number): boolean
export function isConst(x: Index, value?: number): boolean {
  return x.kind === 'const' && (value === undefined || x.value === value)
}
export const sameIndex = (a: IndexLike, b: IndexLike): boolean => toIndex(a).key === toIndex(b).key

const offsetOf = (x: Index): number => (x.kind === 'const' ? x.value : x.kind === 'sum' ? x.offset : 0)
const termsOf = (x: Index): readonly Term[] =>
  x.kind === 'const' ? [] : x.kind === 'sum' ? x.terms : [{ coef: 1, factors: [x] }]
const factorsKey = (factors: readonly Atom[]): string => {
  const [only, ...more] = factors
  return only === undefined ? '' : more.length === 0 ? only.key : factors.map(f => f.key).join('*')
}

/** Rebuilds an index from an offset and terms, collecting like terms; the inverse of {@link split}. */
export const fromTerms = (offset: number, terms: readonly Term[]): Index => {
  const keys = terms.map(t => factorsKey(t.factors))
  // Most sums arrive in order and without like terms: only the others are collected and sorted.
  const inOrder = terms.every((t, i) => t.coef !== 0 && (i === 0 || (keys[i - 1] ?? '') < (keys[i] ?? '')))
  if (inOrder) return canonicalSum(offset, terms, keys)
  const collected = new Map<string, Term>()
  terms.forEach((term, i) => {
    const key = keys[i] ?? ''
    const before = collected.get(key)
    collected.set(key, before === undefined ? term : { coef: before.coef + term.coef, factors: term.factors })
  })
  const kept = [...collected].filter(([, t]) => t.coef !== 0).sort(([p], [q]) => (p < q ? -1 : p > q ? 1 : 0))
  return canonicalSum(
    offset,
    kept.map(([, t]) => t),
    kept.map(([k]) => k),
  )
}

const checkCoefficient = (x: number): void => {
  if (!Number.isSafeInteger(x)) throw new RangeError(`a coefficient of an index must be a safe integer, not ${x}`)
}

/** @param terms sorted by key, without like terms */
const canonicalSum = (offset: number, terms: readonly Term[], keys: readonly string[]): Index => {
  const [first] = terms
  if (first === undefined) return constant(offset)
  const [only] = first.factors
  if (terms.length === 1 && offset === 0 && first.coef === 1 && first.factors.length === 1 && only !== undefined)
    return only
  checkCoefficient(offset)
  let key = ''
  terms.forEach(({ coef }, i) => {
    checkCoefficient(coef)
    key += `${i === 0 ? '' : '+'}${coef === 1 ? '' : `${coef}*`}${keys[i] ?? ''}`
  })
  return { kind: 'sum', offset: unsigned(offset), terms, key: offset === 0 ? `(${key})` : `(${key}+${offset})` }
}

/** The polynomial of an index: constant offset and terms. */
export const split = (x: Index): { offset: number; terms: readonly Term[] } => ({
  offset: offsetOf(x),
  terms: termsOf(x),
})

export const add = (...xs: readonly IndexLike[]): Index => {
  let offset = 0
  let terms: readonly Term[] | undefined
  let lone: Index | undefined
  for (const like of xs) {
    const x = toIndex(like)
    offset += offsetOf(x)
    const more = termsOf(x)
    if (more.length === 0) continue
    lone = terms === undefined ? x : undefined
    terms = terms === undefined ? more : merge(terms, more)
  }
  if (terms === undefined) return constant(offset)
  if (lone !== undefined && offset === offsetOf(lone)) return lone
  return fromTerms(offset, terms)
}

/** The sorted terms of two sums in one sorted list; like terms are joined. */
const merge = (a: readonly Term[], b: readonly Term[]): readonly Term[] => {
  const merged: Term[] = []
  let i = 0,
    j = 0
  for (let p = a[i], q = b[j]; p !== undefined || q !== undefined; p = a[i], q = b[j]) {
    const order = p === undefined ? 1 : q === undefined ? -1 : compare(factorsKey(p.factors), factorsKey(q.factors))
    if (p !== undefined && q !== undefined && order === 0) {
      const coef = p.coef + q.coef
      if (coef !== 0) merged.push({ coef, factors: p.factors })
    } else merged.push((order < 0 ? p : q) as Term)
    if (order <= 0) i++
    if (order >= 0) j++
  }
  return merged
}
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const mul = (...xs: readonly IndexLike[]): Index => {
  let product: Index | undefined
  for (const x of xs) product = product === undefined ? toIndex(x) : multiply(product, toIndex(x))
  return product ?? constant(1)
}

const multiply = (a: Index, b: Index): Index => {
  if (a.kind === 'const') return scale(b, a.value)
  if (b.kind === 'const') return scale(a, b.value)
  if (a.kind !== 'sum' && b.kind !== 'sum')
    return fromTerms(0, [{ coef: 1, factors: a.key <= b.key ? [a, b] : [b, a] }])
  const left = [...termsOf(a), ...(offsetOf(a) === 0 ? [] : [{ coef: offsetOf(a), factors: [] }])]
  const right = [...termsOf(b), ...(offsetOf(b) === 0 ? [] : [{ coef: offsetOf(b), factors: [] }])]
  let offset = 0
  const terms: Term[] = []
  for (const l of left)
    for (const r of right) {
      const factors = [...l.factors, ...r.factors].sort((p, q) => compare(p.key, q.key))
      if (factors.length === 0) offset += l.coef * r.coef
      else terms.push({ coef: l.coef * r.coef, factors })
    }
  return fromTerms(offset, terms)
}

const scale = (x: Index, by: number): Index => {
  if (by === 1) return x
  if (by === 0) return constant(0)
  // Adding 0 turns −0 into 0.
  if (x.kind === 'const') return constant(x.value * by + 0)
  return fromTerms(
    offsetOf(x) * by + 0,
    termsOf(x).map(t => ({ coef: t.coef * by, factors: t.factors })),
  )
}

export const sub = (a: IndexLike, b: IndexLike): Index => add(a, mul(-1, b))

/** Floor division. Division by a constant splits off the terms it divides; more needs ranges (see `simplify`). */
export const floorDiv = (numLike: IndexLike, denLike: IndexLike): Index => {
  const num = toIndex(numLike),
    den = toIndex(denLike)
  if (isConst(den, 1)) return num
  if (isConst(num, 0)) return num
  if (isConst(den)) {
    if (den.value <= 0) throw new RangeError(`floor division needs a positive divisor, not ${den.value}`)
    if (isConst(num)) return constant(Math.floor(num.value / den.value))
    const { whole, rest } = divide(num, den.value)
    if (isConst(rest)) return add(whole, Math.floor(rest.value / den.value))
    if (!isConst(whole, 0)) return add(whole, floorDiv(rest, den))
    // floor(floor(x / a) / b) = floor(x / (a b))
    if (num.kind === 'div' && isConst(num.den)) return floorDiv(num.num, num.den.value * den.value)
  }
  const exact = divideExactly(num, den)
  if (exact !== undefined) return exact
  return { kind: 'div', num, den, key: `(${num.key} // ${den.key})` }
}

/** The non-negative remainder. */
export const mod = (numLike: IndexLike, denLike: IndexLike): Index => {
  const num = toIndex(numLike),
    den = toIndex(denLike)
  if (isConst(den, 1)) return constant(0)
  if (isConst(den)) {
    if (den.value <= 0) throw new RangeError(`a remainder needs a positive divisor, not ${den.value}`)
    if (isConst(num)) return constant(((num.value % den.value) + den.value) % den.value)
    const { whole, rest } = divide(num, den.value)
    if (!isConst(whole, 0)) return mod(rest, den)
  } else if (divideExactly(num, den) !== undefined) return constant(0)
  return { kind: 'mod', num, den, key: `(${num.key} % ${den.key})` }
}

/** num = whole · den + rest, where whole takes every term (and the part of the offset) that den divides. */
const divide = (num: Index, den: number): { whole: Index; rest: Index } => {
  const { offset, terms } = split(num)
  const wholeOffset = Math.floor(offset / den)
  const divisible = terms.filter(t => t.coef % den === 0)
  return {
    whole: fromTerms(
      wholeOffset,
      divisible.map(t => ({ ...t, coef: t.coef / den })),
    ),
    rest: fromTerms(
      offset - wholeOffset * den,
      terms.filter(t => t.coef % den !== 0),
    ),
  }
}

/** The exact quotient by a single term (`n*m*4 / m` → `n*4`), or undefined. */
const divideExactly = (num: Index, den: Index): Index | undefined => {
  if (num.key === den.key) return constant(1)
  const { offset, terms: denTerms } = split(den)
  const [by] = denTerms
  if (offset !== 0 || denTerms.length !== 1 || by === undefined || offsetOf(num) !== 0) return undefined
  const quotients: Term[] = []
  let whole = 0
  for (const term of termsOf(num)) {
    if (term.coef % by.coef !== 0) return undefined
    const left = [...term.factors]
    for (const f of by.factors) {
      const at = left.findIndex(x => x.key === f.key)
      if (at < 0) return undefined
      left.splice(at, 1)
    }
    if (left.length === 0) whole += term.coef / by.coef
    else quotients.push({ coef: term.coef / by.coef, factors: left })
  }
  return fromTerms(whole, quotients)
}

export const ceilDiv = (a: IndexLike, b: IndexLike): Index => floorDiv(add(a, b, -1), b)
export const roundUp = (a: IndexLike, b: IndexLike): Index => mul(ceilDiv(a, b), b)

const extremum =
  (kind: 'min' | 'max') =>
  (aLike: IndexLike, bLike: IndexLike): Index => {
    const a = toIndex(aLike),
      b = toIndex(bLike)
    const gap = sub(a, b)
    if (isConst(gap)) return (kind === 'min') === gap.value <= 0 ? a : b
    const [lhs, rhs] = a.key <= b.key ? [a, b] : [b, a]
    return { kind, lhs, rhs, key: `${kind}(${lhs.key}, ${rhs.key})` }
  }
export const min = extremum('min')
export const max = extremum('max')

export const product = (xs: readonly IndexLike[]): Index => mul(...xs)

/** Row-major strides, in elements, of a shape. */
export const rowMajorStrides = (shape: readonly Index[]): Index[] => shape.map((_, i) => product(shape.slice(i + 1)))

/** Rebuilds an index bottom-up, replacing atoms: `replace` returns the new index of an atom, or undefined to keep it. */
export const mapAtoms = (x: Index, replace: (atom: Atom) => Index | undefined): Index => {
  switch (x.kind) {
    case 'const':
      return x
    case 'sum': {
      // Most rewrites leave most indices as they are: those are not built anew.
      const factors = x.terms.map(t => t.factors.map(f => mapAtoms(f, replace)))
      if (factors.every((list, i) => list.every((f, j) => f === x.terms[i]?.factors[j]))) return x
      return add(x.offset, ...x.terms.map((t, i) => mul(t.coef, ...(factors[i] ?? []))))
    }
    default: {
      const replaced = replace(x)
      if (replaced !== undefined) return replaced
      const both = (a: Index, b: Index, make: (a: Index, b: Index) => Index): Index => {
        const [p, q] = [mapAtoms(a, replace), mapAtoms(b, replace)]
        return p === a && q === b ? x : make(p, q)
      }
      switch (x.kind) {
        case 'var':
        case 'value':
          return x
        case 'div':
          return both(x.num, x.den, floorDiv)
        case 'mod':
          return both(x.num, x.den, mod)
        case 'min':
          return both(x.lhs, x.rhs, min)
        case 'max':
          return both(x.lhs, x.rhs, max)
      }
    }
  }
}

/** Calls `visit` on every atom, outer before inner; does not enter the scalar of a `value`. */
export const visitAtoms = (x: Index, visit: (atom: Atom) => void): void => {
  switch (x.kind) {
    case 'const':
      return
    case 'sum':
      for (const t of x.terms) for (const f of t.factors) visitAtoms(f, visit)
      return
    default:
      visit(x)
      if (x.kind === 'div' || x.kind === 'mod') {
        visitAtoms(x.num, visit)
        visitAtoms(x.den, visit)
      }
      if (x.kind === 'min' || x.kind === 'max') {
        visitAtoms(x.lhs, visit)
        visitAtoms(x.rhs, visit)
      }
  }
}

/** Evaluates an index. `valueOf` runs the scalar of a `value` atom. Throws on an unbound name. */
export const evaluateIndex = (
  x: Index,
  env: ReadonlyMap<string, number>,
  valueOf: (scalar: Scalar) => number = () => {
    throw new Error('no data at hand')
  },
): number => {
  const go = (y: Index): number => evaluateIndex(y, env, valueOf)
  switch (x.kind) {
    case 'const':
      return x.value
    case 'var': {
      const v = env.get(x.name)
      if (v === undefined) throw new Error(`unbound index variable ${x.name}`)
      return v
    }
    case 'sum':
      return x.terms.reduce((s, t) => s + t.factors.reduce((p, f) => p * go(f), t.coef), x.offset)
    case 'div':
      return Math.floor(go(x.num) / go(x.den))
    case 'mod': {
      const d = go(x.den)
      return ((go(x.num) % d) + d) % d
    }
    case 'min':
      return Math.min(go(x.lhs), go(x.rhs))
    case 'max':
      return Math.max(go(x.lhs), go(x.rhs))
    case 'value':
      return valueOf(x.scalar)
  }
}
