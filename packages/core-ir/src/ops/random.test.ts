import { expect, test } from 'vitest'
import { threefryReference } from './testing/random.reference.ts'
import { numbersOf, runOp, tensorOf } from './testing/support.ts'

const keyOf = (a: number, b: number) => tensorOf('u32', [2], i => [a, b][i] ?? 0)

test('the reference gives the known answers of Random123', () => {
  expect(threefryReference(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe])
  expect(threefryReference(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)).toEqual([0x1cb996fc, 0xbb002be7])
  expect(threefryReference(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0])
})

test('random-bits is what the reference says', () => {
  const [found] = runOp('random-bits', [keyOf(0xdeadbeef, 7)], { shape: [3, 5], stream: 9 })
  expect(numbersOf(found ?? keyOf(0, 0))).toEqual(
    Array.from({ length: 15 }, (_, i) => threefryReference(0xdeadbeef, 7, i, 9)[0]),
  )
})

test('random-uniform lies in [0, 1) with the right mean and variance', () => {
  const [found] = runOp('random-uniform', [keyOf(1, 2)], { shape: [4000] })
  const all = numbersOf(found ?? keyOf(0, 0))
  expect(all[0]).toBe((threefryReference(1, 2, 0, 0)[0] >>> 8) * 2 ** -24)
  expect(Math.min(...all)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...all)).toBeLessThan(1)
  const mean = all.reduce((a, b) => a + b) / all.length
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.02)
  expect(Math.abs(all.reduce((s, x) => s + (x - mean) ** 2, 0) / all.length - 1 / 12)).toBeLessThan(0.01)
})

test('random-normal has mean 0 and variance 1, and streams differ', () => {
  const [found] = runOp('random-normal', [keyOf(1, 2)], { shape: [4000] })
  const all = numbersOf(found ?? keyOf(0, 0))
  const mean = all.reduce((a, b) => a + b) / all.length
  expect(Math.abs(mean)).toBeLessThan(0.06)
  expect(Math.abs(all.reduce((s, x) => s + (x - mean) ** 2, 0) / all.length - 1)).toBeLessThan(0.08)
  expect(all.every(Number.isFinite)).toBe(true)
  const [other] = runOp('random-normal', [keyOf(1, 2)], { shape: [4], stream: 1 })
  expect(numbersOf(other ?? keyOf(0, 0))).not.toEqual(all.slice(0, 4))
})
