/** @file The manifest's expressions mean what core-ir's index expressions mean. */
import { expect, test } from 'vitest'
import { evaluate } from './expr.ts'

test('sums, products, floor division, remainder, extrema', () => {
  const symbols = { n: 7, m: -3 }
  expect(evaluate(['+', ['*', 4, 'n'], 'm', 2], symbols)).toBe(27)
  expect(evaluate(['/', 'm', 2], symbols)).toBe(-2)
  expect(evaluate(['%', 'm', 2], symbols)).toBe(1)
  expect(evaluate(['max', ['min', 'n', 5], 'm'], symbols)).toBe(5)
  expect(() => evaluate('k', symbols)).toThrow(/dim k/)
})
