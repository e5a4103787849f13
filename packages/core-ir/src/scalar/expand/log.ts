/** @file log: x = 2^k m with m about 1, and log m from s = f / (2 + f), f = m − 1. */
import { type Scalar, literal } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { add, bitsOf, div, eq, floatOf, ge, lt, mul, pick, polynomial, shl, sub } from './notation.ts'
import { splitExponent } from './split-exponent.ts'

/** ln 2 in two parts; the first has few enough bits that its product with k is exact. */
const ln2 = [0.693138123, 9.05800061e-6] as const
const smallestNormal = 0x00800000
const infinityBits = 0x7f800000
const nanBits = 0x7fc00000

const logOfNormal = (b: Emitter, bits: Scalar, bias: number): Scalar => {
  const { m, k } = splitExponent(b, bits, bias)
  const f = b.let('f', sub(m, 1))
  const s = b.let('s', div(f, add(f, 2)))
  const z = b.let('z', mul(s, s))
  // The even part of log((1 + s) / (1 − s)); coefficients of FreeBSD's e_logf.c.
  const even = mul(z, polynomial(z, [0.666666627, 0.400009722, 0.284987867, 0.242790788]))
  const square = b.let('square', mul(mul(f, f), 0.5))
  return add(add(sub(add(mul(s, add(square, even)), mul(k, ln2[1])), square), f), mul(k, ln2[0]))
}

export const expandLog = (b: Emitter, x: Scalar): Scalar => {
  const bits = b.let('bits', bitsOf(x))
  // One test for everything but positive normal numbers: adding 2^23 wraps infinity and NaN to negative integers.
  const unusual = lt(add(bits, smallestNormal), 2 * smallestNormal)
  const [value] = b.rare(unusual, { log: logOfNormal(b, bits, 127) }, inner => {
    const denormal = logOfNormal(inner, inner.let('scaled', bitsOf(mul(x, 2 ** 24))), 127 + 24)
    // In bits: ±0 → −∞, negative → NaN, +∞ and NaN stay.
    const stays = ge(bits, infinityBits),
      zero = eq(shl(bits, 1), 0)
    const negative = pick(lt(bits, 0), literal(nanBits, 'i32'), bitsOf(denormal))
    const special = pick(zero, literal(infinityBits - 0x80000000, 'i32'), pick(stays, bits, negative))
    return [floatOf(special)]
  })
  if (value === undefined) throw new Error('one value in, one value out')
  return value
}
