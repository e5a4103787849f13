import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cost, leastCost } from './least-cost.ts'

const total = (costs: readonly Cost[], labels: readonly number[]): number =>
  costs.reduce((sum, c) => sum + c.at(c.of.map(v => labels[v] ?? 0)), 0)

test('no assignment is cheaper, by trying all', () => {
  const cost = fc.record({
    of: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }),
    values: fc.array(fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Infinity)), {
      minLength: 27,
      maxLength: 27,
    }),
  })
  fc.assert(
    fc.property(fc.array(cost, { maxLength: 9 }), fc.constantFrom(2, 3), (drawn, labels) => {
      const costs = drawn.map(({ of, values }): Cost => ({
        of,
        // All first labels can always be.
        at: at => (at.every(l => l === 0) ? 20 : (values[at.reduce((n, l) => n * labels + l, 0)] ?? 0)),
      }))
      const found = total(costs, leastCost(6, labels, costs))
      for (let i = 0; i < labels ** 6; i++)
        expect(found).toBeLessThanOrEqual(
          total(
            costs,
            Array.from({ length: 6 }, (_, v) => Math.floor(i / labels ** v) % labels),
          ),
        )
    }),
    { numRuns: 60 },
  )
})

test('of equally cheap labels the first; a variable that is entangled with too many keeps its first', () => {
  expect(leastCost(3, 2, [{ of: [0, 2], at: () => 1 }])).toEqual([0, 0, 0])
  const many = Array.from({ length: 30 }, (_, v) => v)
  const pairs = many.flatMap(a =>
    many.filter(b => b > a).map((b): Cost => ({ of: [a, b], at: ([x, y]) => (x === y ? 0 : 1) })),
  )
  expect(leastCost(30, 2, pairs)).toEqual(many.map(() => 0))
})
