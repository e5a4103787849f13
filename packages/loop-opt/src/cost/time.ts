/** @file Predicted times: polynomials over symbols with real coefficients, in milliseconds. */
import type { Expr } from '@quern/artifact'
import { type Atom, type Index, ix, printIndex, toExpr } from '@quern/core-ir'

interface TimeTerm {
  readonly coef: number
  readonly factors: readonly Atom[]
}

/** A sum of terms by the key of their factors; the term without factors is the constant. */
export type Time = ReadonlyMap<string, TimeTerm>

const keyOf = (factors: readonly Atom[]): string => factors.map(f => f.key).join('*')

/** Work that takes `each` milliseconds a piece. */
export const timeOf = (work: Index, each: number): Time => {
  const { offset, terms } = ix.split(work)
  return new Map(
    [...terms, { coef: offset, factors: [] }]
      .filter(t => t.coef !== 0)
      .map(({ coef, factors }) => [keyOf(factors), { coef: coef * each, factors }]),
  )
}

export const constantTime = (ms: number): Time => new Map(ms === 0 ? [] : [['', { coef: ms, factors: [] }]])

const joined = (times: readonly Time[], join: (a: number, b: number) => number): Time => {
  const all = new Map<string, TimeTerm>()
  for (const key of new Set(times.flatMap(t => [...t.keys()]))) {
    const terms = times.map(t => t.get(key))
    const factors = terms.find(t => t !== undefined)?.factors ?? []
    all.set(key, { coef: terms.map(t => t?.coef ?? 0).reduce((a, b) => join(a, b)), factors })
  }
  return all
}

/** One after the other. */
export const sumOfTimes = (...times: readonly Time[]): Time => joined(times, (a, b) => a + b)

/**
 * The longest of several, as one polynomial: the largest coefficient of each term. It is exact where one of them is the longest in
 * every term, and never more than their sum; a `max` for each kernel would make the prediction of a long plan longer than its code.
 */
export const longestTime = (...times: readonly Time[]): Time => joined(times, Math.max)

/** `count` times over. */
export const repeatedTime = (time: Time, count: Index): Time =>
  sumOfTimes(...[...time.values()].map(({ coef, factors }) => timeOf(ix.mul(count, ...factors), coef)), constantTime(0))

/** Names as other sizes: a symbol that data defines as its bound. */
export const renamedTime = (time: Time, rename: (x: Index) => Index): Time =>
  sumOfTimes(
    ...[...time.values()].map(({ coef, factors }) => timeOf(rename(ix.product(factors)), coef)),
    constantTime(0),
  )

/** Three digits: a prediction is no better than that, and manifests are shipped. */
const rounded = (ms: number): number => Number(ms.toPrecision(3))

/** The symbols first, then what takes as long for any of them. */
const termsOf = (time: Time): readonly TimeTerm[] =>
  [...time].sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1)).map(([, t]) => t)

export const timeExpr = (time: Time): Expr => {
  const parts = termsOf(time).map(({ coef, factors }): Expr =>
    factors.length === 0 ? rounded(coef) : ['*', rounded(coef), ...factors.map(toExpr)],
  )
  const [only = 0] = parts
  return parts.length > 1 ? ['+', ...parts] : only
}

export const printTime = (time: Time): string =>
  termsOf(time)
    .map(({ coef, factors }) => [rounded(coef), ...factors.map(f => `(${printIndex(f)})`)].join('*'))
    .join(' + ')
    .replaceAll(/\((\w+)\)/g, '$1') || '0'
