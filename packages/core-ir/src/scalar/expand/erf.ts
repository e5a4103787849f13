/** @file erf: an odd polynomial below 0.9; above, 1 − q(x)^8, since the eighth root of erfc is smooth. No division. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { abs, add, atMost, lt, mul, pick, polynomial, sub, withSignOf } from './notation.ts'

/** erf(x) / x − 1 in powers of x². Minimax, relative error of erf 1.4e-8. */
const near = [0.128379151, -0.376125038, 0.112819217, -0.026770493, 0.00499895914, -0.000602079963]
/** The eighth root of erfc on [0.9, 4]. Minimax, error of erf 6e-9. */
const far = [
  1.00022662, -0.142279387, -0.0667700246, -0.00578742102, 0.00949725602, -0.00123507029, -9.15389101e-5, 1.97565023e-5,
]

export const expandErf = (b: Emitter, x: Scalar): Scalar => {
  // From 3.92 the result is 1.
  const a = atMost(b, abs(x), 4)
  const small = add(mul(polynomial(b.let('z', mul(a, a)), near), a), a)
  const q = b.let('q', polynomial(a, far)),
    q2 = b.let('q2', mul(q, q)),
    q4 = b.let('q4', mul(q2, q2))
  return withSignOf(x, pick(lt(a, 0.9), small, sub(1, mul(q4, q4))))
}
