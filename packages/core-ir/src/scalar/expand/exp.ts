/** @file exp: x = k ln 2 + r, a polynomial of r, and two powers of two, so that results below the normal range round once. */
import { type Scalar, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { add, bitsOf, clamp, floatOf, mul, polynomial, shl, shr, sub } from './notation.ts'

const log2e = 1.44269502
/** ln 2 in two parts; the first has few enough bits that its product with k is exact. */
const ln2 = [0.693145752, 1.42860677e-6] as const
/** 1.5 · 2^23: added to a small whole number, it puts that into the low bits of the sum. */
const magic = 12582912
const magicBits = 0x4b400000
const oneBits = 0x3f800000

/** x · 2^k for |k| ≤ 250 and the whole number k as a float: two factors, neither of which leaves the normal range. */
export const scale = (b: Emitter, x: Scalar, k: Scalar): Scalar => {
  const n = b.let('n', sub(bitsOf(add(k, magic)), magicBits))
  const half = b.let('half', shr(n, 1))
  const power = (of: Scalar): Scalar => floatOf(add(shl(of, 23), oneBits))
  return mul(mul(x, power(half)), power(sub(n, half)))
}

/** exp of an x that is at least −104 and at most 89, or NaN. */
export const expInRange = (b: Emitter, x: Scalar): Scalar => {
  const k = b.let('k', unary('round', mul(x, log2e)))
  const r = b.let('r', sub(sub(x, mul(k, ln2[0])), mul(k, ln2[1])))
  // Minimax on [−0.347, 0.347], relative error 5e-9.
  const p = polynomial(r, [1, 1, 0.49999994, 0.166665226, 0.0416683406, 0.00836922694, 0.00138208864])
  return scale(b, p, k)
}

/** Below −104 the result is 0, above 89 it is infinite: the clamps change nothing but keep k small. */
export const expandExp = (b: Emitter, x: Scalar): Scalar => expInRange(b, clamp(b, x, -104, 89))
