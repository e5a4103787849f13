/**
 * @file pow: 2^(y log2 |x|), where the logarithm and its product with y are sums of two floats. The splits follow FreeBSD's
 * e_powf.c: leading parts are short, cut off by masks, so that their products are exact and no compiler can undo them.
 */
import { type Scalar, bitcast, cast, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type PerFormat, formatOf } from './float-format.ts'
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
  oneOf,
  or,
  pick,
  polynomial,
  shl,
  shr,
  sub,
  xor,
} from './notation.ts'

interface Constants {
  /** Keeps not quite half of a significand: a product of two such numbers is exact. */
  readonly leadMask: bigint
  /** 2 / (3 ln 2), whole and in two parts of which the first is short. */
  readonly toLog2: { readonly whole: number; readonly lead: number; readonly rest: number }
  /** (3 atanh(s) / s − 3 − s²) / s⁴ in powers of s². */
  readonly tail: readonly number[]
  /** 2^r on [−0.5, 0.5]. */
  readonly power: readonly number[]
  /** An exponent with any y beyond this gives 0, 1 or infinity. */
  readonly largestY: number
  /** The same of a power of two. */
  readonly largestPower: number
}
const constants: PerFormat<Constants> = {
  f32: {
    leadMask: -(1n << 12n),
    toLog2: { whole: 0.961796701, lead: 0.961669922, rest: 0.000126772051 },
    tail: [0.599999964, 0.428579599, 0.332694232, 0.293391943],
    power: [1, 0.693147242, 0.240226552, 0.0555027276, 0.00961706508, 0.0013417803, 0.000158223556],
    largestY: 2 ** 32,
    largestPower: 200,
  },
  f64: {
    leadMask: -(1n << 32n),
    toLog2: { whole: 0.9617966939259756, lead: 0.9617958068847656, rest: 8.870412099799066e-7 },
    tail: [
      0.6, 0.4285714285714285, 0.3333333333334278, 0.2727272726944486, 0.23076923647653863, 0.19999944338742312,
      0.17650239685221913, 0.15684043123545593, 0.16147690330160525,
    ],
    power: [
      1, 0.6931471805599453, 0.24022650695910072, 0.055504108664821625, 0.00961812910762848, 0.0013333558146406295,
      0.00015403530393370645, 1.5252733841782436e-5, 1.321548680881726e-6, 1.01780569717918e-7, 7.054897246767236e-9,
      4.4558384999982015e-10, 2.5729426100386435e-11,
    ],
    largestY: 2 ** 64,
    largestPower: 1200,
  },
}

const lead = (b: Emitter, x: Scalar): Scalar =>
  b.let('lead', floatOf(and(bitsOf(x), constants[formatOf(x).float].leadMask)))

/** log2 |x| as two floats, the first of them short; relative errors about 2^-33 and 2^-68. */
const log2 = (b: Emitter, x: Scalar): { high: Scalar; low: Scalar } => {
  const format = formatOf(x)
  const { bias, float, int, magnitude, mantissa, smallestNormal } = format
  const { toLog2 } = constants[float]
  const size = b.let('size', and(b.let('bits', bitsOf(x)), magnitude))
  // Denormals are scaled into the normal range first.
  const tiny = b.let('tiny', lt(size, smallestNormal))
  const normal = pick(tiny, bitsOf(mul(floatOf(size), 2 ** (mantissa + 1))), size)
  const { m, k } = splitExponent(b, normal, oneOf(tiny, bias + mantissa + 1, bias, int), format)
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
  const tail = b.let('tail', add(mul(mul(z, z), polynomial(z, constants[float].tail)), mul(sl, add(sh, s))))
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

/** x · 2^k for |k| up to twice the exponents' range, k a whole number as a float: no factor leaves the normal range. */
const scale = (b: Emitter, x: Scalar, k: Scalar): Scalar => {
  const { magic, magicBits, mantissa, one } = formatOf(x)
  const n = b.let('n', sub(bitsOf(add(k, magic)), magicBits))
  const half = b.let('half', shr(n, 1))
  const power = (of: Scalar): Scalar => floatOf(add(shl(of, mantissa), one))
  return mul(mul(x, power(half)), power(sub(n, half)))
}

export const expandPow = (b: Emitter, x: Scalar, y: Scalar): Scalar => {
  const { high, low } = log2(b, x)
  const { largestPower, largestY, power: series } = constants[formatOf(x).float]
  // A smaller y stands in for a huge one, so that nothing overflows below.
  const yc = clamp(b, y, -largestY, largestY),
    yh = lead(b, yc)
  const ph = b.let('ph', mul(yh, high)),
    pl = add(mul(sub(yc, yh), high), mul(yc, low))
  const outside = b.let('outside', gt(abs(ph), largestPower))
  const p0 = clamp(b, ph, -largestPower, largestPower),
    p1 = b.let('p1', pick(outside, 0, pl))
  const k = b.let('k', unary('round', add(p0, p1)))
  const r = b.let('r', add(sub(p0, k), p1))
  return withSpecialCases(b, x, y, scale(b, polynomial(r, series), k))
}

/** What IEEE 754 says about zeros, infinities, NaN, and negative x; told by bits. */
const withSpecialCases = (b: Emitter, x: Scalar, y: Scalar, power: Scalar): Scalar => {
  const { infinity, int, magnitude: sizeMask, nan, one, uint, width } = formatOf(x)
  const bits = b.let('bits', bitsOf(x)),
    size = b.let('size', and(bits, sizeMask)),
    yBits = b.let('y_bits', bitsOf(y)),
    ySize = b.let('y_size', and(yBits, sizeMask))
  // A zero wraps to the largest unsigned number.
  const ordinary = b.let('ordinary', lt(bitcast(sub(size, 1), uint), infinity - 1n))
  const unusual = or(not(ordinary), ge(ySize, infinity))
  const [magnitude] = b.rare(unusual, { power: bitsOf(power) }, inner => {
    const grows = xor(gt(size, one), lt(yBits, 0))
    const isNaN = or(gt(size, infinity), gt(ySize, infinity))
    const isOne = or(eq(ySize, 0), or(eq(bits, one), and(eq(size, one), eq(ySize, infinity))))
    return [inner.let('special', pick(isOne, one, pick(isNaN, nan, oneOf(grows, infinity, 0, int))))]
  })
  if (magnitude === undefined) throw new Error('one value in, one value out')
  const half = b.let('half', mul(y, 0.5)),
    whole = b.let('whole', eq(unary('trunc', y), y))
  const odd = ne(unary('trunc', half), half)
  const sign = and(bits, shl(cast(and(whole, odd), int), width - 1))
  const undefinedPower = and(and(lt(bits, 0), ordinary), not(whole))
  return floatOf(pick(undefinedPower, nan, or(magnitude, sign)))
}
