/** @file Half precision against its definition: every bit pattern, and midpoints between neighbours. */
import { expect, test } from 'vitest'
import { fromHalfBits, roundHalf, toHalfBits } from './half.ts'

test('every finite pattern comes back, and every midpoint goes to the even neighbour', () => {
  const wrong: number[] = []
  for (let bits = 0; bits < 0x7c00; bits++) {
    const x = fromHalfBits(bits),
      next = bits === 0x7bff ? 65536 : fromHalfBits(bits + 1),
      middle = (x + next) / 2,
      even = bits % 2 === 0 ? bits : bits + 1
    const ok =
      toHalfBits(x) === bits &&
      toHalfBits(-x) === (bits | 0x8000) &&
      toHalfBits(middle) === even &&
      toHalfBits(middle * (1 - 2 ** -52)) === bits &&
      toHalfBits(middle * (1 + 2 ** -52)) === bits + 1
    if (!ok) wrong.push(bits)
  }
  expect(wrong).toEqual([])
})

test('zeros, infinities and NaN', () => {
  expect(toHalfBits(-0)).toBe(0x8000)
  expect([toHalfBits(Infinity), toHalfBits(-Infinity), toHalfBits(NaN)]).toEqual([0x7c00, 0xfc00, 0x7e00])
  expect([fromHalfBits(0x7c00), fromHalfBits(0xfc00), fromHalfBits(0x7e01)]).toEqual([Infinity, -Infinity, NaN])
  expect(roundHalf(1e-300)).toBe(0)
  expect(roundHalf(65519.99)).toBe(65504)
})
