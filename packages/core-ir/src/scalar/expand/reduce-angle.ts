/**
 * @file Argument reduction of sin and cos: |x| = (4 m + quadrant) π/2 + r with |r| ≤ π/4, shared by both.
 * Up to 6400: Cody and Waite, with π/2 in three parts of which the first two have 12 bits, so that their products with a
 * whole number of up to 12 bits are exact (with or without fma). Beyond: Payne and Hanek's product with as many bits of 2/π
 * as matter, in integers.
 */
import { type Scalar, bitcast, cast, literal, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { add, and, bitsOf, eq, floatOf, ge, gt, lt, mul, or, pick, shl, shr, sub } from './notation.ts'

/** π/2, rounded to 12, 12 and 24 bits. */
const halfPi = [1.57080078125, -4.4535845518112183e-6, -8.70551575e-10] as const
const twoOverPi = 0.636619747
/** 1.5 · 2^23: added to a small whole number, it puts that into the low bits of the sum. */
const magic = 12582912
/** The bits of 6400. */
const largestQuick = 0x45c80000
const infinityBits = 0x7f800000

export interface Angle {
  readonly r: Scalar
  /** Modulo 4, as i32; its higher bits are of no meaning. */
  readonly quadrant: Scalar
}

/** `size` is |x| as bits. */
export const reduceAngle = (b: Emitter, size: Scalar): Angle => {
  const x = b.let('x', floatOf(size))
  const k = b.let('turns', unary('round', mul(x, twoOverPi)))
  const quick = b.let(
    'r',
    halfPi.reduce<Scalar>((r, part) => sub(r, mul(k, part)), x),
  )
  const low = b.let('quadrant', bitsOf(add(k, magic)))
  const [r, quadrant] = b.rare(gt(size, largestQuick), { angle: quick, quadrant: low }, inner => {
    const exact = reduceHuge(inner, size)
    return [exact.r, exact.quadrant]
  })
  if (r === undefined || quadrant === undefined) throw new Error('two values in, two values out')
  return { r, quadrant }
}

/** 2/π as a string of bits; the leading word of zeros stands for the bits before the point. */
const bitsOfTwoOverPi = [0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab] as const

/** High and low word of the product of a u32 below 2^24 and any u32. */
const wideProduct = (b: Emitter, m: Scalar, word: Scalar): { high: Scalar; low: Scalar } => {
  const m0 = b.let('m0', and(m, 0xffff)),
    m1 = b.let('m1', shr(m, 16)),
    w0 = b.let('w0', and(word, 0xffff)),
    w1 = b.let('w1', shr(word, 16))
  const middle = b.let('mid', add(mul(m1, w0), shr(mul(m0, w0), 16)))
  const upper = add(mul(m0, w1), and(middle, 0xffff))
  return {
    high: b.let('high', add(mul(m1, w1), add(shr(middle, 16), shr(upper, 16)))),
    low: b.let('low', mul(m, word)),
  }
}

const reduceHuge = (b: Emitter, size: Scalar): Angle => {
  const bits = b.let('bits', bitcast(size, 'u32'))
  const m = b.let('m', or(and(bits, 0x7fffff), 0x800000))
  // x = m 2^e. Bits of 2/π that make multiples of 4 are skipped: the 96 that follow start at this position.
  const start = b.let('start', sub(shr(bits, 23), 120))
  const word = b.let('word', shr(start, 5)),
    shift = b.let('shift', and(start, 31))
  // 6400 and infinity start in words 0 and 4.
  const inWord = [1, 2, 3, 4].map(i => ({ i, here: b.let('here', eq(word, i)) }))
  const wordAt = (offset: number): Scalar =>
    b.let(
      'bits',
      inWord.reduce<Scalar>(
        (value, { i, here }) => pick(here, literal(bitsOfTwoOverPi[i + offset] ?? 0, 'u32'), value),
        literal(bitsOfTwoOverPi[offset] ?? 0, 'u32'),
      ),
    )
  const back = b.let('back', sub(31, shift))
  const words = [0, 1, 2, 3].map(wordAt)
  const window = words.slice(0, 3).map((w, i) => {
    // A shift by 32 is one by 0, so the second half is shifted in two steps.
    const next = words[i + 1]
    return next === undefined ? w : b.let('window', or(shl(w, shift), shr(shr(next, 1), back)))
  })
  const [w2, w1, w0] = window
  if (w2 === undefined || w1 === undefined || w0 === undefined) throw new Error('three words')
  const mid = wideProduct(b, m, w1),
    low = b.let('low', add(mid.low, wideProduct(b, m, w0).high))
  const carry = pick(lt(low, mid.low), literal(1, 'u32'), 0)
  const high = b.let('high', add(add(mul(m, w2), mid.high), carry))
  // high:low is x · 2/π modulo 4, with the point behind two bits. Nearest quadrant, and what is left as a signed fraction.
  const quadrant = bitcast(shr(add(high, 0x20000000), 30), 'i32')
  const fraction = b.let('fraction', bitcast(or(shl(high, 2), shr(low, 30)), 'i32'))
  // In two floats: the upper word rounded, and what that lost with the lower word (shifted once, it converts as an i32).
  const upper = b.let('upper', cast(fraction, 'f32'))
  const lost = sub(fraction, cast(upper, 'i32'))
  const lead = b.let('lead', mul(upper, 2 ** -32))
  const rest = b.let(
    'rest',
    add(mul(cast(lost, 'f32'), 2 ** -32), mul(cast(bitcast(shr(shl(low, 2), 1), 'i32'), 'f32'), 2 ** -63)),
  )
  const r = b.let('r', add(mul(lead, 1.57079637), add(mul(lead, -4.37113883e-8), mul(rest, 1.57079637))))
  return { r: floatOf(pick(ge(size, infinityBits), literal(0x7fc00000, 'i32'), bitsOf(r))), quadrant }
}
