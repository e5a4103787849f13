/** @file tanh |x| = E / (E + 2) with E = exp(2 |x|) − 1, which is accurate near zero and never passes 1. */
import { type Scalar, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { abs, add, atMost, bitsOf, div, floatOf, mul, polynomial, shl, sub, withSignOf } from './notation.ts'

const twoLog2e = 2.88539008
/** Half of ln 2, in two parts; the first has few enough bits that its product with k is exact. */
const halfLn2 = [0.346572876, 7.14303385e-7] as const
/** 1.5 · 2^23: added to a small whole number, it puts that into the low bits of the sum. */
const magic = 12582912
const oneBits = 0x3f800000

export const expandTanh = (b: Emitter, x: Scalar): Scalar => {
  // From 9.02 the result is 1.
  const a = atMost(b, abs(x), 10)
  const k = b.let('k', unary('round', mul(a, twoLog2e)))
  const r = b.let('r', sub(sub(a, mul(k, halfLn2[0])), mul(k, halfLn2[1])))
  // exp(2 r) − 1 on [−0.174, 0.174]; minimax, relative error 1e-8.
  const p = mul(polynomial(r, [2, 1.99999988, 1.33332312, 0.66668433, 0.267747164, 0.0885547027]), r)
  const power = b.let('power', floatOf(add(shl(bitsOf(add(k, magic)), 23), oneBits)))
  const e = b.let('e', add(mul(power, p), sub(power, 1)))
  return withSignOf(x, div(e, add(e, 2)))
}
