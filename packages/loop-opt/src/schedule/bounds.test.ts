import { type Index, ix, rangeOf } from '@quern/core-ir'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Access } from './access.ts'
import { type Domain, extreme, mergeQuotients, provesNonNegative, withAxis, withFacts } from './bounds.ts'
import { mayMeet } from './dependence.ts'
import { simplifyIndex } from '../legalise/simplify.ts'
import type { For } from './tree.ts'

const names = ['i', 'j', 'k'] as const
const symbol = 'n'

/** Indices over i, j, k and n. */
const indices: fc.Arbitrary<Index> = fc.letrec<{ index: Index }>(tie => ({
  index: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(...names, symbol).map(name => ix.variable(name)),
    fc.integer({ min: -6, max: 6 }).map(ix.constant),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => ix.add(a, b)),
    fc.tuple(tie('index'), fc.integer({ min: -4, max: 4 })).map(([a, c]) => ix.mul(a, c)),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 5 })).map(([a, c]) => ix.floorDiv(a, c)),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 5 })).map(([a, c]) => ix.mod(a, c)),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => ix.min(a, b)),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => ix.max(a, b)),
    tie('index').map(a => ix.floorDiv(a, ix.variable(symbol))),
    tie('index').map(a => ix.mul(a, ix.variable(symbol))),
  ),
})).index

/** i < 3, j < n, k < ceil(n / 2), for n from 1 to 5. */
const extents: Readonly<Record<(typeof names)[number], Index>> = {
  i: ix.constant(3),
  j: ix.variable(symbol),
  k: ix.ceilDiv(ix.variable(symbol), 2),
}
const empty: Domain = {
  axes: [],
  facts: [],
  symbols: new Map([[symbol, { min: 1, max: 5 }]]),
  ranges: new Map([[symbol, { min: 1, max: 5 }]]),
}
const domain = names.reduce((d, name) => withAxis(d, name, extents[name]), empty)

const points: ReadonlyMap<string, number>[] = [1, 2, 3, 4, 5].flatMap(n => {
  const count = (name: (typeof names)[number]): number[] =>
    Array.from({ length: ix.evaluateIndex(extents[name], new Map([[symbol, n]])) }, (_, x) => x)
  return count('i').flatMap(i =>
    count('j').flatMap(j =>
      count('k').map(
        k =>
          new Map([
            [symbol, n],
            ['i', i],
            ['j', j],
            ['k', k],
          ]),
      ),
    ),
  )
})
const runs = { numRuns: Number(process.env['QUERN_RUNS'] || 150) }

test('what is proved not to be negative never is', () => {
  fc.assert(
    fc.property(indices, x => {
      if (provesNonNegative(x, domain))
        for (const at of points) expect(ix.evaluateIndex(x, at)).toBeGreaterThanOrEqual(0)
    }),
    runs,
  )
})

test('what is proved from facts holds wherever they hold', () => {
  fc.assert(
    fc.property(indices, indices, (x, fact) => {
      if (!provesNonNegative(x, withFacts(domain, [fact]))) return
      for (const at of points)
        if (ix.evaluateIndex(fact, at) >= 0) expect(ix.evaluateIndex(x, at)).toBeGreaterThanOrEqual(0)
    }),
    runs,
  )
})

test('extremes bound every point, and name no axis', () => {
  fc.assert(
    fc.property(indices, x => {
      for (const direction of ['lower', 'upper'] as const) {
        const bound = extreme(x, direction, domain.axes, domain.ranges)
        if (bound === undefined) continue
        for (const at of points) {
          const value = ix.evaluateIndex(x, at),
            limit = ix.evaluateIndex(bound, new Map([[symbol, at.get(symbol) ?? 0]]))
          expect(direction === 'lower' ? value - limit : limit - value).toBeGreaterThanOrEqual(0)
        }
      }
    }),
    runs,
  )
})

test('merging quotients and simplifying change no value', () => {
  fc.assert(
    fc.property(indices, x => {
      const merged = mergeQuotients(x),
        simple = simplifyIndex(x, domain)
      for (const at of points) {
        expect(ix.evaluateIndex(merged, at)).toBe(ix.evaluateIndex(x, at))
        expect(ix.evaluateIndex(simple, at)).toBe(ix.evaluateIndex(x, at))
      }
    }),
    runs,
  )
})

test.each([
  [
    'a block and what is inside it',
    ix.sub(ix.sub(ix.variable('n'), 1), ix.add(ix.mul(ix.floorDiv(ix.sub(ix.variable('n'), 1), 2), 2), 0)),
  ],
  ['the last element of the last whole block', ix.sub(ix.variable('n'), ix.mul(ix.floorDiv(ix.variable('n'), 4), 4))],
  [
    'the rest behind the blocks',
    ix.sub(
      ix.sub(ix.variable('n'), 1),
      ix.add(ix.mul(ix.floorDiv(ix.variable('n'), 4), 4), ix.sub(ix.mod(ix.variable('n'), 4), 1)),
    ),
  ],
])('proves %s', (_, x) =>
  expect(
    provesNonNegative(x, {
      ...empty,
      symbols: new Map([[symbol, { min: 1, max: Infinity }]]),
      ranges: new Map([[symbol, { min: 1, max: Infinity }]]),
    }),
  ).toBe(true),
)

test('accesses that are said not to meet never do', () => {
  const inner: For = { kind: 'for', axis: 'k', extent: extents.k, tag: 'serial', body: [] }
  const loop: For = { kind: 'for', axis: 'j', extent: extents.j, tag: 'serial', body: [inner] }
  const outside = withAxis(empty, 'i', extents.i)
  let apart = 0
  fc.assert(
    fc.property(
      fc.array(indices, { minLength: 1, maxLength: 2 }),
      fc.array(indices, { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      (a, b, same) => {
        const access = (list: readonly Index[]): Access => ({
          buffer: 'x',
          kind: 'write',
          indices: list,
          loops: [inner],
          facts: [],
        })
        const first = access(a),
          second = access(same || a.length !== b.length ? a : b)
        if (mayMeet(first, second, loop, 'later', outside, undefined)) return
        apart++
        for (const p of points)
          for (const q of points) {
            if (p.get('n') !== q.get('n') || p.get('i') !== q.get('i') || (p.get('j') ?? 0) >= (q.get('j') ?? 0))
              continue
            const met = first.indices.every(
              (x, d) => ix.evaluateIndex(x, p) === ix.evaluateIndex(second.indices[d] ?? x, q),
            )
            expect(met).toBe(false)
          }
      },
    ),
    runs,
  )
  expect(apart).toBeGreaterThan(5)
})

test('ranges hold what simplification keeps', () => {
  fc.assert(
    fc.property(indices, x => {
      const { min, max } = rangeOf(x, domain.ranges)
      for (const at of points) {
        const value = ix.evaluateIndex(x, at)
        expect(value >= min && value <= max).toBe(true)
      }
    }),
    runs,
  )
})
