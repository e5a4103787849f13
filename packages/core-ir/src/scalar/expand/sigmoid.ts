/** @file sigmoid through exp(−|x|), which cannot overflow: 1 / (1 + e) above zero, e / (1 + e) below. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { expOfNegative } from './exp.ts'
import { formatOf } from './float-format.ts'
import { add, bitsOf, div, floatOf, lt, or, pick } from './notation.ts'

export const expandSigmoid = (b: Emitter, x: Scalar): Scalar => {
  const e = b.let('e', expOfNegative(b, floatOf(or(bitsOf(x), formatOf(x).sign))))
  return div(pick(lt(x, 0), e, 1), add(e, 1))
}
