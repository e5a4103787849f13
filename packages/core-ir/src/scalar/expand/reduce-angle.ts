/**
 * @file Argument reduction of sin and cos: |x| = (4 m + quadrant) π/2 + r with |r| ≤ π/4, shared by both.
 * Moderate arguments: Cody and Waite, with π/2 in parts of which all but the last are so short that their products with the
 * whole number of quarter turns are exact (with or without fma). Beyond: Payne and Hanek's product with as many bits of 2/π
 * as matter, in integers.
 */
import { type Scalar, bitcast, cast, literal, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type FloatFormat, type PerFormat, formatOf } from './float-format.ts'
import { add, and, bitsOf, eq, floatOf, ge, gt, lt, mul, oneOf, or, pick, shl, shr, sub } from './notation.ts'
import { bitsOfTwoOverPi } from './two-over-pi.ts'

interface Constants {
  readonly halfPi: readonly number[]
  /** The largest argument of the quick reduction, as bits. */
  readonly largestQuick: bigint
  /** π/2 as a float and what it lacks. */
  readonly lead: number
  readonly rest: number
}
const constants: PerFormat<Constants> = {
  // 12, 12 and 24 bits, good up to 6400.
  f32: {
    halfPi: [1.57080078125, -4.4535845518112183e-6, -8.70551575e-10],
    largestQuick: 0x45c80000n,
    lead: 1.57079637,
    rest: -4.37113883e-8,
  },
  // Thrice 33 bits and 53, good up to 2^20.
  f64: {
    halfPi: [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32],
    largestQuick: 0x4130000000000000n,
    lead: 1.5707963267948966,
    rest: 6.123233995736766e-17,
  },
}

export interface Angle {
  readonly r: Scalar
  /** Modulo 4, as an integer whose higher bits are of no meaning. */
  readonly quadrant: Scalar
}

/** `size` is |x| as bits. */
export const reduceAngle = (b: Emitter, size: Scalar): Angle => {
  const x = b.let('x', floatOf(size))
  const format = formatOf(x)
  const { halfPi, largestQuick } = constants[format.float]
  const k = b.let('turns', unary('round', mul(x, 2 / Math.PI)))
  let quick = x
  for (const part of halfPi) quick = sub(quick, mul(k, part))
  const low = b.let('quadrant', bitsOf(add(k, format.magic)))
  const usual = { angle: b.let('r', quick), quadrant: low }
  const [r, quadrant] = b.rare(gt(size, largestQuick), usual, inner => {
    const exact = reduceHuge(inner, size, format)
    return [exact.r, exact.quadrant]
  })
  if (r === undefined || quadrant === undefined) throw new Error('two values in, two values out')
  return { r, quadrant }
}

/** High and low word of the product of a significand and any word: of halves, as no target multiplies wider. */
const wideProduct = (b: Emitter, m: Scalar, word: Scalar, half: number): { high: Scalar; low: Scalar } => {
  const mask = 2 ** half - 1
  const m0 = b.let('m0', and(m, mask)),
    m1 = b.let('m1', shr(m, half)),
    w0 = b.let('w0', and(word, mask)),
    w1 = b.let('w1', shr(word, half))
  // A significand is shorter than a word by more than a byte, so that none of these sums wraps.
  const middle = b.let('mid', add(mul(m1, w0), shr(mul(m0, w0), half)))
  const upper = add(mul(m0, w1), and(middle, mask))
  return {
    high: b.let('high', add(mul(m1, w1), add(shr(middle, half), shr(upper, half)))),
    low: b.let('low', mul(m, word)),
  }
}

const reduceHuge = (b: Emitter, size: Scalar, format: FloatFormat): Angle => {
  const { bias, float, infinity, int, mantissa, nan, smallestNormal, uint, width } = format
  const bits = b.let('bits', bitcast(size, uint))
  const m = b.let('m', or(and(bits, smallestNormal - 1n), smallestNormal))
  // x = m 2^e. Bits of 2/π that make multiples of 4 are skipped: the three words that follow start at this position.
  const start = b.let('start', sub(shr(bits, mantissa), bias + mantissa + 2 - width))
  const word = b.let('word', shr(start, Math.log2(width))),
    shift = b.let('shift', and(start, width - 1))
  const stream = bitsOfTwoOverPi(width)
  // Infinity starts three words before the end.
  const inWord = stream.slice(1, -3).map((_, i) => ({ i: i + 1, here: b.let('here', eq(word, i + 1)) }))
  const wordAt = (offset: number): Scalar => {
    const at = (i: number): Scalar => literal(stream[i + offset] ?? 0n, uint)
    return b.let(
      'bits',
      inWord.reduce<Scalar>((value, { i, here }) => pick(here, at(i), value), at(0)),
    )
  }
  const back = b.let('back', sub(width - 1, shift))
  // A shift by the width is one by 0, so the second half is shifted in two steps.
  const joined = (high: Scalar, low: Scalar): Scalar => b.let('window', or(shl(high, shift), shr(shr(low, 1), back)))
  const [a0, a1, a2, a3] = [wordAt(0), wordAt(1), wordAt(2), wordAt(3)]
  const [w2, w1, w0] = [joined(a0, a1), joined(a1, a2), joined(a2, a3)]
  const mid = wideProduct(b, m, w1, width / 2)
  const low = b.let('low', add(mid.low, wideProduct(b, m, w0, width / 2).high))
  const high = b.let('high', add(add(mul(m, w2), mid.high), oneOf(lt(low, mid.low), 1, 0, uint)))
  // high:low is x · 2/π modulo 4, with the point behind two bits. Nearest quadrant, and what is left as a signed fraction.
  const quadrant = bitcast(shr(add(high, 1n << BigInt(width - 3)), width - 2), int)
  const fraction = b.let('fraction', bitcast(or(shl(high, 2), shr(low, width - 2)), int))
  // In two floats: the upper word rounded, and what that lost with the lower word (shifted once, it converts as signed).
  const upper = b.let('upper', cast(fraction, float))
  const lost = sub(fraction, cast(upper, int))
  const lead = b.let('lead', mul(upper, 2 ** -width))
  const lower = cast(bitcast(shr(shl(low, 2), 1), int), float)
  const rest = b.let('rest', add(mul(cast(lost, float), 2 ** -width), mul(lower, 2 ** (1 - 2 * width))))
  const halfPi = constants[float]
  const r = add(mul(lead, halfPi.lead), add(mul(lead, halfPi.rest), mul(rest, halfPi.lead)))
  return { r: floatOf(pick(ge(size, infinity), nan, bitsOf(b.let('r', r)))), quadrant }
}
