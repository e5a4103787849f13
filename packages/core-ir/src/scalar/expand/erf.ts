/** @file erf: an odd rational function, fitted where the result is not yet 1 in single precision. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { clamp, div, mul, polynomial } from './notation.ts'

/** Relative error 2e-8; the numerator starts with 2/√π. */
const numerator = [1, 0.168601212, 0.0467211912, 0.00332893371, 0.000251901952, 1.81294912e-6].map(
  c => (c * 2) / Math.sqrt(Math.PI),
)
const denominator = [1, 0.501934141, 0.11403512, 0.0149511828, 0.00115945665, 3.80126096e-5]

export const expandErf = (b: Emitter, x: Scalar): Scalar => {
  const c = clamp(b, x, -3.93, 3.93)
  const z = b.let('z', mul(c, c))
  // Rounding must not carry the result past 1.
  return clamp(b, div(mul(c, polynomial(z, numerator)), polynomial(z, denominator)), -1, 1)
}
