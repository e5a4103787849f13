/**
 * @file pow: 2^(y log2 |x|), where the logarithm and its product with y are sums of two floats. The splits follow FreeBSD's
 * e_powf.c: leading parts have 12 bits, cut off by masks, so that their products are exact and no compiler can undo them.
 */
import { type Scalar, bitcast, cast, literal, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { scale } from './exp.ts'
import { splitExponent } from './split-exponent.ts'
import {
  abs,
  add,
  and,
  bitsOf,
  clamp,
  div,
  eq,
  floatOf,
  ge,
  gt,
  lt,
  mul,
  ne,
  not,
  or,
  pick,
  polynomial,
  shl,
  sub,
  xor,
} from './notation.ts'

const infinityBits = 0x7f800000
const nanBits = 0x7fc00000
const oneBits = 0x3f800000

/** 2 / (3 ln 2), whole and in two parts of which the first is short. */
const toLog2 = { whole: 0.961796701, lead: 0.961669922, rest: 0.000126772051 }

/** The leading 12 bits. */
const lead = (b: Emitter, x: Scalar): Scalar => b.let('lead', floatOf(and(bitsOf(x), -4096)))

/** log2 |x| as two floats, the first of 12 bits; relative error about 2^-33. */
const log2 = (b: Emitter, x: Scalar): { high: Scalar; low: Scalar } => {
  const size = b.let('size', and(b.let('bits', bitsOf(x)), 0x7fffffff))
  // Denormals are scaled into the normal range first.
  const tiny = b.let('tiny', lt(size, 0x00800000))
  const normal = pick(tiny, bitsOf(mul(floatOf(size), 2 ** 24)), size)
  const { m, k } = splitExponent(b, normal, pick(tiny, literal(127 + 24, 'i32'), 127))
  // s = f / (2 + f) = sh + sl
  const f = b.let('f', sub(m, 1)),
    d = b.let('d', add(m, 1)),
    s = b.let('s', div(f, d)),
    sh = lead(b, s),
    dh = lead(b, d),
    dl = sub(m, sub(dh, 1))
  const sl = b.let('sl', div(sub(sub(f, mul(sh, dh)), mul(sh, dl)), d))
  // 3 log m / 2 = s (3 + s² + s⁴ …) = s · t
  const z = b.let('z', mul(s, s)),
    shsh = b.let('shsh', mul(sh, sh))
  const tail = b.let(
    'tail',
    add(mul(mul(z, z), polynomial(z, [0.599999964, 0.428579599, 0.332694232, 0.293391943])), mul(sl, add(sh, s))),
  )
  const th = lead(b, add(add(shsh, 3), tail)),
    tl = sub(tail, sub(sub(th, 3), shsh))
  const u = b.let('u', mul(sh, th)),
    v = b.let('v', add(mul(sl, th), mul(tl, s)))
  const ph = lead(b, add(u, v)),
    pl = sub(v, sub(ph, u))
  const zh = b.let('zh', mul(ph, toLog2.lead)),
    zl = b.let('zl', add(mul(ph, toLog2.rest), mul(pl, toLog2.whole)))
  const high = lead(b, add(add(zh, zl), k))
  return { high, low: b.let('low', sub(zl, sub(sub(high, k), zh))) }
}

export const expandPow = (b: Emitter, x: Scalar, y: Scalar): Scalar => {
  const { high, low } = log2(b, x)
  // |y| ≥ 2^32 gives 0, 1 or infinity whatever x is, so a smaller y stands in for it and nothing overflows below.
  const yc = clamp(b, y, -(2 ** 32), 2 ** 32),
    yh = lead(b, yc)
  const ph = b.let('ph', mul(yh, high)),
    pl = add(mul(sub(yc, yh), high), mul(yc, low))
  const outside = b.let('outside', gt(abs(ph), 200))
  const p0 = clamp(b, ph, -200, 200),
    p1 = b.let('p1', pick(outside, 0, pl))
  const k = b.let('k', unary('round', add(p0, p1)))
  const r = b.let('r', add(sub(p0, k), p1))
  const power = scale(
    b,
    polynomial(r, [1, 0.693147242, 0.240226552, 0.0555027276, 0.00961706508, 0.0013417803, 0.000158223556]),
    k,
  )
  return withSpecialCases(b, x, y, power)
}

/** What IEEE 754 says about zeros, infinities, NaN, and negative x; told by bits. */
const withSpecialCases = (b: Emitter, x: Scalar, y: Scalar, power: Scalar): Scalar => {
  const bits = b.let('bits', bitsOf(x)),
    size = b.let('size', and(bits, 0x7fffffff)),
    yBits = b.let('y_bits', bitsOf(y)),
    ySize = b.let('y_size', and(yBits, 0x7fffffff))
  // A zero wraps to the largest u32.
  const ordinary = b.let('ordinary', lt(bitcast(sub(size, 1), 'u32'), infinityBits - 1))
  const unusual = or(not(ordinary), ge(ySize, infinityBits))
  const [magnitude] = b.rare(unusual, { power: bitsOf(power) }, inner => {
    const grows = xor(gt(size, oneBits), lt(yBits, 0))
    const limit = pick(grows, literal(infinityBits, 'i32'), 0)
    const isNaN = or(gt(size, infinityBits), gt(ySize, infinityBits))
    const one = or(eq(ySize, 0), or(eq(bits, oneBits), and(eq(size, oneBits), eq(ySize, infinityBits))))
    return [inner.let('special', pick(one, literal(oneBits, 'i32'), pick(isNaN, literal(nanBits, 'i32'), limit)))]
  })
  if (magnitude === undefined) throw new Error('one value in, one value out')
  const half = b.let('half', mul(y, 0.5)),
    whole = b.let('whole', eq(unary('trunc', y), y))
  const odd = ne(unary('trunc', half), half)
  const sign = and(bits, shl(cast(and(whole, odd), 'i32'), 31))
  const undefinedPower = and(and(lt(bits, 0), ordinary), not(whole))
  return floatOf(pick(undefinedPower, literal(nanBits, 'i32'), or(magnitude, sign)))
}
