/** @file x = 2^k m with m about 1, by bits. */
import { type Scalar, cast } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import type { FloatFormat, PerFormat } from './float-format.ts'
import { add, and, floatOf, shr, sub } from './notation.ts'

/** The bits of √½: where the exponent steps. */
const rootHalf: PerFormat<bigint> = { f32: 0x3f3504f3n, f64: 0x3fe6a09e667f3bcdn }

/** √½ ≤ m < √2 and the whole number k as a float, from the bits of a positive normal float and the bias of its exponent. */
export const splitExponent = (
  b: Emitter,
  bits: Scalar,
  bias: Scalar | number,
  { float, mantissa, one, smallestNormal }: FloatFormat,
): { m: Scalar; k: Scalar } => {
  const shifted = b.let('shifted', add(bits, one - rootHalf[float]))
  return {
    m: b.let('m', floatOf(add(and(shifted, smallestNormal - 1n), rootHalf[float]))),
    k: b.let('k', cast(sub(shr(shifted, mantissa), bias), float)),
  }
}
