/** @file sigmoid through exp(−|x|), which cannot overflow: 1 / (1 + e) above zero, e / (1 + e) below. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { expInRange, lowestExponent } from './exp.ts'
import { abs, add, atLeast, div, lt, neg, pick } from './notation.ts'

export const expandSigmoid = (b: Emitter, x: Scalar): Scalar => {
  const e = b.let('e', expInRange(b, atLeast(b, neg(abs(x)), lowestExponent(x))))
  return div(pick(lt(x, 0), e, 1), add(e, 1))
}
