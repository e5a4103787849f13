/** @file Index expressions against arithmetic: constructors and simplifications keep the value, ranges hold it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileIndex } from '../scalar/evaluate.ts'
import * as ix from './index-expr.ts'
import { type Ranges, axisRange, provesLess, provesLessEqual, rangeOf, simplify } from './range.ts'

type Env = ReadonlyMap<string, number>
/** An index beside what it should mean, worked out without it. */
interface Meant {
  readonly index: ix.Index
  readonly of: (env: Env) => number
}

const names = ['a', 'b', 'n', 'i'] as const
const leaf: fc.Arbitrary<Meant> = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(v => ({ index: ix.constant(v), of: () => v })),
  fc.constantFrom(...names).map(name => ({ index: ix.variable(name), of: (env: Env) => env.get(name) ?? Number.NaN })),
)
/** Divisors: constants, the symbol n, and their product, all at least 1. */
const divisor: fc.Arbitrary<Meant> = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map(v => ({ index: ix.constant(v), of: () => v })),
  fc
    .integer({ min: 1, max: 4 })
    .map(v => ({ index: ix.mul(v, ix.variable('n')), of: (env: Env) => v * (env.get('n') ?? Number.NaN) })),
)
const { meant } = fc.letrec<{ meant: Meant }>(tie => ({
  meant: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('meant'), tie('meant'))
      .map(([x, y]) => ({ index: ix.add(x.index, y.index), of: (e: Env) => x.of(e) + y.of(e) })),
    fc
      .tuple(tie('meant'), tie('meant'))
      .map(([x, y]) => ({ index: ix.sub(x.index, y.index), of: (e: Env) => x.of(e) - y.of(e) })),
    fc
      .tuple(tie('meant'), leaf)
      .map(([x, y]) => ({ index: ix.mul(x.index, y.index), of: (e: Env) => x.of(e) * y.of(e) })),
    fc
      .tuple(tie('meant'), divisor)
      .map(([x, y]) => ({ index: ix.floorDiv(x.index, y.index), of: (e: Env) => Math.floor(x.of(e) / y.of(e)) })),
    fc.tuple(tie('meant'), divisor).map(([x, y]) => ({
      index: ix.mod(x.index, y.index),
      of: (e: Env) => x.of(e) - y.of(e) * Math.floor(x.of(e) / y.of(e)),
    })),
    fc
      .tuple(tie('meant'), tie('meant'))
      .map(([x, y]) => ({ index: ix.min(x.index, y.index), of: (e: Env) => Math.min(x.of(e), y.of(e)) })),
    fc
      .tuple(tie('meant'), tie('meant'))
      .map(([x, y]) => ({ index: ix.max(x.index, y.index), of: (e: Env) => Math.max(x.of(e), y.of(e)) })),
  ),
}))

/** Ranges of the names, and values inside them: n is a symbol that is at least 1, i an axis of extent n. */
const situation = fc
  .record({
    low: fc.integer({ min: -30, max: 30 }),
    size: fc.integer({ min: 0, max: 40 }),
    bMax: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(Infinity)),
    nMax: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(Infinity)),
    where: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ low, size, bMax, nMax, where: [wa = 0, wb = 0, wn = 0, wi = 0] }) => {
    const at = (min: number, max: number, w: number): number => min + Math.floor(w * (Math.min(max, 60) - min + 1))
    const ranges = new Map([
      ['a', { min: low, max: low + size }],
      ['b', { min: 0, max: bMax }],
      ['n', { min: 1, max: nMax }],
    ])
    const n = at(1, nMax, wn)
    const all: Ranges = new Map([...ranges, ['i', axisRange(ix.variable('n'), ranges)]])
    const env: Env = new Map([
      ['a', at(low, low + size, wa)],
      ['b', at(0, bMax, wb)],
      ['n', n],
      ['i', at(0, n - 1, wi)],
    ])
    return { ranges: all, env }
  })
const same = (x: number, y: number): boolean => x === y

test('constructors keep the value', () => {
  fc.assert(
    fc.property(meant, situation, (x, { env }) => same(ix.evaluateIndex(x.index, env), x.of(env))),
    { numRuns: 3000 },
  )
})
test('compiled and interpreted indices agree, and rebuilding changes nothing', () => {
  fc.assert(
    fc.property(meant, situation, ({ index }, { env }) => {
      const run = compileIndex(index, {
        variable: name => () => env.get(name) ?? Number.NaN,
        ref: () => () => 0,
        load: () => () => 0,
      })
      expect(run() + 0).toBe(ix.evaluateIndex(index, env) + 0)
      expect(ix.mapAtoms(index, () => undefined).key).toBe(index.key)
      const { offset, terms } = ix.split(index)
      expect(ix.fromTerms(offset, terms).key).toBe(index.key)
    }),
    { numRuns: 1000 },
  )
})
test('ranges hold the value', () => {
  fc.assert(
    fc.property(meant, situation, ({ index }, { ranges, env }) => {
      const { min, max } = rangeOf(index, ranges),
        value = ix.evaluateIndex(index, env)
      expect(value).toBeGreaterThanOrEqual(min)
      expect(value).toBeLessThanOrEqual(max)
    }),
    { numRuns: 3000 },
  )
})
test('simplify keeps the value inside the ranges', () => {
  fc.assert(
    fc.property(meant, situation, ({ index }, { ranges, env }) =>
      same(ix.evaluateIndex(simplify(index, ranges), env), ix.evaluateIndex(index, env)),
    ),
    { numRuns: 5000 },
  )
})
test('simplify is idempotent', () => {
  fc.assert(
    fc.property(meant, situation, ({ index }, { ranges }) => {
      const once = simplify(index, ranges)
      expect(simplify(once, ranges).key).toBe(once.key)
    }),
    { numRuns: 3000 },
  )
})
test('what is proved holds', () => {
  fc.assert(
    fc.property(meant, meant, situation, (x, y, { ranges, env }) => {
      if (provesLess(x.index, y.index, ranges)) expect(x.of(env)).toBeLessThan(y.of(env))
      if (provesLessEqual(x.index, y.index, ranges)) expect(x.of(env)).toBeLessThanOrEqual(y.of(env))
    }),
    { numRuns: 3000 },
  )
})

test('equal polynomials have equal keys', () => {
  fc.assert(
    fc.property(meant, meant, meant, ({ index: x }, { index: y }, { index: z }) => {
      expect(ix.add(x, y).key).toBe(ix.add(y, x).key)
      expect(ix.add(ix.add(x, y), z).key).toBe(ix.add(x, ix.add(y, z)).key)
      expect(ix.sub(ix.add(x, y), y).key).toBe(x.key)
      expect(ix.mul(x, y).key).toBe(ix.mul(y, x).key)
      expect(ix.mul(ix.add(x, y), z).key).toBe(ix.add(ix.mul(x, z), ix.mul(y, z)).key)
      expect(ix.min(x, y).key).toBe(ix.min(y, x).key)
    }),
    { numRuns: 500 },
  )
})

test('there is one zero', () => {
  const n = ix.variable('n')
  expect(ix.split(ix.mul(-1, n)).offset).toBe(0)
  expect(ix.split(ix.sub(0, ix.add(n, n))).offset).toBe(0)
  expect(ix.constant(-0)).toEqual(ix.constant(0))
  expect(ix.mul(-1, 0)).toEqual(ix.constant(0))
})

describe('what schedules rely on', () => {
  const [a, n, m] = [ix.variable('a'), ix.variable('n'), ix.variable('m')]
  test('a split axis comes back', () => {
    const [o, i] = [ix.variable('o'), ix.variable('i')]
    const ranges: Ranges = new Map([
      ['o', { min: 0, max: 7 }],
      ['i', { min: 0, max: 3 }],
    ])
    const joined = ix.add(ix.mul(o, 4), i)
    expect(simplify(ix.floorDiv(joined, 4), ranges).key).toBe('o')
    expect(simplify(ix.mod(joined, 4), ranges).key).toBe('i')
  })
  test('and over a symbolic extent', () => {
    const ranges: Ranges = new Map([
      ['n', { min: 1, max: Infinity }],
      ['m', { min: 1, max: Infinity }],
    ])
    const axes: Ranges = new Map([...ranges, ['o', axisRange(m, ranges)], ['i', axisRange(n, ranges)]])
    const joined = ix.add(ix.mul(ix.variable('o'), n), ix.variable('i'))
    expect(simplify(ix.floorDiv(joined, n), axes).key).toBe('o')
    expect(simplify(ix.mod(joined, n), axes).key).toBe('i')
  })
  test('exact quotients of shapes', () => {
    expect(ix.floorDiv(ix.mul(n, m, 4), m).key).toBe(ix.mul(n, 4).key)
    expect(ix.floorDiv(ix.floorDiv(a, 3), 4).key).toBe(ix.floorDiv(a, 12).key)
    expect(ix.mod(ix.mul(n, m), n).key).toBe('0')
  })
  test('a size that no double holds exactly is an error', () => {
    const huge = 2 ** 52
    expect(() => ix.mul(n, huge, 4)).toThrow(RangeError)
    expect(() => ix.add(ix.add(n, huge), huge)).toThrow(RangeError)
    expect(() => ix.floorDiv(n, 0)).toThrow(RangeError)
    expect(() => ix.mod(n, -1)).toThrow(RangeError)
  })
})
