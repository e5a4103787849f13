/** @file `toExpr` spells the same polynomial. */
import { expect, test } from 'vitest'
import * as ix from '../index/index-expr.ts'
import { toExpr } from './to-expr.ts'

test('spells sums, divisions and extrema', () => {
  const n = ix.variable('n')
  const m = ix.variable('m')
  expect(toExpr(ix.constant(3))).toBe(3)
  expect(toExpr(ix.mul(n, m))).toEqual(['*', 'm', 'n'])
  expect(toExpr(ix.add(ix.mul(4, n), 2))).toEqual(['+', ['*', 4, 'n'], 2])
  expect(toExpr(ix.roundUp(n, 64))).toEqual(['*', 64, ['/', ['+', 'n', 63], 64]])
  expect(toExpr(ix.min(n, ix.mod(m, 3)))).toEqual(['min', ['%', 'm', 3], 'n'])
})
