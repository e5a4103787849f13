/** @file log: x = 2^k m with m about 1, and log m from s = f / (2 + f), f = m − 1. */
import { type Scalar, bitcast, cast, literal } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { add, and, bitsOf, div, eq, floatOf, lt, mul, pick, polynomial, shr, sub } from './notation.ts'

/** ln 2 in two parts; the first has few enough bits that its product with k is exact. */
const ln2 = [0.693138123, 9.05800061e-6] as const
const oneBits = 0x3f800000
/** The bits of √½: where the exponent steps. */
const rootHalfBits = 0x3f3504f3
const smallestNormal = 0x00800000
const infinityBits = 0x7f800000
const nanBits = 0x7fc00000

/** x = 2^k m, √½ ≤ m < √2, for x positive and finite (its sign is dropped). */
export const splitExponent = (b: Emitter, x: Scalar): { m: Scalar; k: Scalar; size: Scalar } => {
  const size = b.let('size', and(b.let('bits', bitsOf(x)), 0x7fffffff))
  // Denormals are scaled into the normal range first.
  const tiny = b.let('tiny', lt(size, smallestNormal))
  const bits = pick(tiny, bitsOf(mul(floatOf(size), 2 ** 24)), size)
  const shifted = b.let('shifted', add(bits, oneBits - rootHalfBits))
  const k = b.let('k', cast(sub(shr(shifted, 23), pick(tiny, literal(127 + 24, 'i32'), 127)), 'f32'))
  return { m: floatOf(add(and(shifted, 0x7fffff), rootHalfBits)), k, size }
}

export const expandLog = (b: Emitter, x: Scalar): Scalar => {
  const { m, k, size } = splitExponent(b, x)
  const f = b.let('f', sub(m, 1))
  const s = b.let('s', div(f, add(f, 2)))
  const z = b.let('z', mul(s, s))
  // The even part of log((1 + s) / (1 − s)); coefficients of FreeBSD's e_logf.c.
  const even = mul(z, polynomial(z, [0.666666627, 0.400009722, 0.284987867, 0.242790788]))
  const square = b.let('square', mul(mul(f, f), 0.5))
  const value = add(add(sub(add(mul(s, add(square, even)), mul(k, ln2[1])), square), f), mul(k, ln2[0]))
  // In bits: 0 → −∞, negative → NaN, +∞ and NaN stay.
  const bits = b.let('bits', bitsOf(x))
  const special = pick(
    eq(size, 0),
    literal(infinityBits - 0x80000000, 'i32'),
    pick(lt(bits, 0), literal(nanBits, 'i32'), bits),
  )
  const ordinary = lt(bitcast(sub(bits, 1), 'u32'), infinityBits - 1)
  return floatOf(pick(ordinary, bitsOf(value), special))
}
