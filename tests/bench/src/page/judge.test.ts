import { expect, test } from 'vitest'
import { errorOf } from './judge.ts'

test('the error is relative to the largest element, and what cannot be compared is infinitely wrong', () => {
  expect(errorOf(Float32Array.of(1, -8, 3.5), Float32Array.of(1, -8, 4))).toBe(0.5 / 8)
  expect(errorOf(Float32Array.of(1), Float32Array.of(1, 2))).toBe(Infinity)
  expect(errorOf(Float32Array.of(NaN, 2), Float32Array.of(1, 2))).toBe(Infinity)
})
