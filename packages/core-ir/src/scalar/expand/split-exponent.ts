/** @file x = 2^k m with m about 1, by bits. */
import { type Scalar, cast } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { add, and, floatOf, shr, sub } from './notation.ts'

const oneBits = 0x3f800000
/** The bits of √½: where the exponent steps. */
const rootHalfBits = 0x3f3504f3

/** √½ ≤ m < √2 and the whole number k as a float, from the bits of a positive normal float and the bias of its exponent. */
export const splitExponent = (b: Emitter, bits: Scalar, bias: Scalar | number): { m: Scalar; k: Scalar } => {
  const shifted = b.let('shifted', add(bits, oneBits - rootHalfBits))
  return {
    m: b.let('m', floatOf(add(and(shifted, 0x7fffff), rootHalfBits))),
    k: b.let('k', cast(sub(shr(shifted, 23), bias), 'f32')),
  }
}
