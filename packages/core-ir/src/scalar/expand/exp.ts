/**
 * @file exp: x = k ln 2 + r, a polynomial of r, and one power of two. Results of all x need exponents beyond those of one power:
 * so of any x it is the square of exp(x / 2), which overflows and underflows in the square alone, and of an x that is never
 * positive a larger power, then a constant one. Results below the normal range round once.
 */
import { type Scalar, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type PerFormat, formatOf } from './float-format.ts'
import { add, atLeast, bitsOf, clamp, floatOf, mul, polynomial, shl, sub } from './notation.ts'

const log2e = 1.4426950408889634

interface Constants {
  /** Below the first the result is 0, above the second infinite. */
  readonly range: readonly [number, number]
  /** ln 2 in two parts; the first has few enough bits that its product with k is exact. */
  readonly ln2: readonly [number, number]
  /** Minimax on [−0.347, 0.347]. */
  readonly series: readonly number[]
  /** An exponent that lifts all results into the normal range. */
  readonly lift: number
}
const constants: PerFormat<Constants> = {
  // Relative error 5e-9.
  f32: {
    range: [-104, 89],
    ln2: [0.693145752, 1.42860677e-6],
    series: [1, 1, 0.49999994, 0.166665226, 0.0416683406, 0.00836922694, 0.00138208864],
    lift: 64,
  },
  // 1e-17
  f64: {
    range: [-746, 710],
    ln2: [0.6931471803691238, 1.9082149292705877e-10],
    series: [
      1, 1, 0.5, 0.16666666666666669, 0.04166666666662374, 0.008333333333330032, 0.0013888888917406447,
      0.00019841269863201828, 2.4801520996825697e-5, 2.7557268229963227e-6, 2.76202305675069e-7, 2.5100494788905042e-8,
    ],
    lift: 512,
  },
}

/** exp(x / divisor) · 2^lift. */
const lifted = (b: Emitter, x: Scalar, divisor: 1 | 2, lift: number): Scalar => {
  const { bias, float, magic, mantissa } = formatOf(x)
  const { ln2, series } = constants[float]
  const k = b.let('k', unary('round', mul(x, log2e / divisor)))
  const r = b.let('r', sub(sub(x, mul(k, ln2[0] * divisor)), mul(k, ln2[1] * divisor)))
  // The low bits of the sum are the exponent of the power.
  const power = floatOf(shl(bitsOf(add(k, magic + bias + lift)), mantissa))
  const divided = series.map((c, i) => c / divisor ** i)
  return mul(polynomial(r, divided), power)
}

/** Within 3.4 ulp. The clamps change no result but keep k small. */
export const expandExp = (b: Emitter, x: Scalar): Scalar => {
  const root = b.let('root', lifted(b, clamp(b, x, ...constants[formatOf(x).float].range), 2, 0))
  return mul(root, root)
}

/** exp of an x that is not positive, or NaN: within 1.2 ulp, for functions that add errors of their own. */
export const expOfNegative = (b: Emitter, x: Scalar): Scalar => {
  const { lift, range } = constants[formatOf(x).float]
  return mul(lifted(b, atLeast(b, x, range[0]), 1, lift), 2 ** -lift)
}
