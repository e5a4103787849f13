/** @file exp: x = k ln 2 + r, a polynomial of r, and two powers of two, so that results below the normal range round once. */
import { type Scalar, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type PerFormat, formatOf } from './float-format.ts'
import { add, bitsOf, clamp, floatOf, mul, polynomial, shl, shr, sub } from './notation.ts'

const log2e = 1.4426950408889634

interface Constants {
  /** Below the first the result is 0, above the second infinite. */
  readonly range: readonly [number, number]
  /** ln 2 in two parts; the first has few enough bits that its product with k is exact. */
  readonly ln2: readonly [number, number]
  /** Minimax on [−0.347, 0.347]. */
  readonly series: readonly number[]
}
const constants: PerFormat<Constants> = {
  // Relative error 5e-9.
  f32: {
    range: [-104, 89],
    ln2: [0.693145752, 1.42860677e-6],
    series: [1, 1, 0.49999994, 0.166665226, 0.0416683406, 0.00836922694, 0.00138208864],
  },
  // 1e-17
  f64: {
    range: [-746, 710],
    ln2: [0.6931471803691238, 1.9082149292705877e-10],
    series: [
      1, 1, 0.5, 0.16666666666666669, 0.04166666666662374, 0.008333333333330032, 0.0013888888917406447,
      0.00019841269863201828, 2.4801520996825697e-5, 2.7557268229963227e-6, 2.76202305675069e-7, 2.5100494788905042e-8,
    ],
  },
}

/** x · 2^k for |k| up to twice the exponents' range, k a whole number as a float: no factor leaves the normal range. */
export const scale = (b: Emitter, x: Scalar, k: Scalar): Scalar => {
  const { magic, magicBits, mantissa, one } = formatOf(x)
  const n = b.let('n', sub(bitsOf(add(k, magic)), magicBits))
  const half = b.let('half', shr(n, 1))
  const power = (of: Scalar): Scalar => floatOf(add(shl(of, mantissa), one))
  return mul(mul(x, power(half)), power(sub(n, half)))
}

/** exp of an x inside the range of its format, or NaN. */
export const expInRange = (b: Emitter, x: Scalar): Scalar => {
  const { ln2, series } = constants[formatOf(x).float]
  const k = b.let('k', unary('round', mul(x, log2e)))
  const r = b.let('r', sub(sub(x, mul(k, ln2[0])), mul(k, ln2[1])))
  return scale(b, polynomial(r, series), k)
}

export const lowestExponent = (x: Scalar): number => constants[formatOf(x).float].range[0]

/** The clamps change no result but keep k small. */
export const expandExp = (b: Emitter, x: Scalar): Scalar =>
  expInRange(b, clamp(b, x, ...constants[formatOf(x).float].range))
