import fc from 'fast-check'
import { expect, test } from 'vitest'
import { demandsOf } from './demand.ts'
import { type Index, add, constant, evaluateIndex, floorDiv, max, min, mul, sub, variable } from './index-expr.ts'

const n = variable('n'),
  m = variable('m')
const ranges = new Map([
  ['n', { min: 1, max: Infinity }],
  ['m', { min: 1, max: Infinity }],
])

test('what is plain, what is a bound of one symbol, and what no bound says', () => {
  expect(demandsOf(sub(n, 1), ranges)).toEqual([])
  expect(demandsOf(sub(n, 4), ranges)).toEqual([{ symbol: 'n', range: { min: 4, max: Infinity } }])
  expect(demandsOf(sub(9, mul(2, n)), ranges)).toEqual([{ symbol: 'n', range: { min: -Infinity, max: 4 } }])
  expect(demandsOf(sub(n, min(n, 5)), ranges)).toEqual([])
  expect(demandsOf(sub(n, m), ranges)).toBeUndefined()
  expect(demandsOf(constant(-1), ranges)).toBeUndefined()
})

const index: fc.Arbitrary<Index> = fc.letrec<{ index: Index }>(tie => ({
  index: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.integer({ min: -6, max: 6 }).map(constant),
    fc.constant(n),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => add(a, b)),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => sub(a, b)),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => min(a, b)),
    fc.tuple(tie('index'), tie('index')).map(([a, b]) => max(a, b)),
    fc.tuple(fc.integer({ min: -3, max: 3 }), tie('index')).map(([k, a]) => mul(k, a)),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 4 })).map(([a, k]) => floorDiv(a, k)),
  ),
})).index

test('where the demands are met, the index is not negative', () => {
  fc.assert(
    fc.property(index, fc.integer({ min: 1, max: 40 }), (x, value) => {
      const demands = demandsOf(x, ranges)
      if (demands === undefined || !demands.every(d => value >= d.range.min && value <= d.range.max)) return
      expect(evaluateIndex(x, new Map([['n', value]]))).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 2000 },
  )
})
