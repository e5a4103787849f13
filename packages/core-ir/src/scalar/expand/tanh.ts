/** @file tanh: an odd rational function, fitted where the result is not yet 1 in single precision. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { clamp, div, mul, polynomial } from './notation.ts'

/** Relative error 2.2e-8. Both constants are 1, so that tiny arguments come back as they are. */
const numerator = [1, 0.133826875, 0.00349745789, 2.06358258e-5, 1.33842952e-8]
const denominator = [1, 0.467160087, 0.0258843618, 0.000328851769, 7.79025101e-7]

export const expandTanh = (b: Emitter, x: Scalar): Scalar => {
  const c = clamp(b, x, -9.02, 9.02)
  const z = b.let('z', mul(c, c))
  // Rounding must not carry the result past 1.
  return clamp(b, div(mul(c, polynomial(z, numerator)), polynomial(z, denominator)), -1, 1)
}
