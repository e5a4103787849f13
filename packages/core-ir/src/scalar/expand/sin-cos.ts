/** @file The polynomials of sin and cos on [−π/4, π/4], which both ops need: a quadrant swaps them and sets the sign. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { and, bitsOf, floatOf, mul, polynomial, shl, shr, xor } from './notation.ts'
import { reduceAngle } from './reduce-angle.ts'

const signBit = -0x80000000

/** Everything that sin x and cos x share: emitted once for both. Minimax fits, relative errors 4e-9 and 4e-8. */
const parts = (b: Emitter, x: Scalar) => {
  const bits = b.let('bits', bitsOf(x))
  const { r, quadrant } = reduceAngle(b, b.let('size', and(bits, 0x7fffffff)))
  const z = b.let('z', mul(r, r))
  const sine = b.let('sine', bitsOf(mul(polynomial(z, [1, -0.166666552, 0.00833218824, -0.000195180954]), r)))
  const cosine = b.let('cosine', bitsOf(polynomial(z, [1, -0.499998838, 0.0416557156, -0.00135910173])))
  // The low bits of the quadrant as sign bits.
  const odd = b.let('odd', shl(quadrant, 31)),
    half = b.let('half', shl(quadrant, 30))
  // In odd quadrants the two change places: fewer operations than two selects.
  return { bits, sine, cosine, odd, half, swap: b.let('swap', and(xor(sine, cosine), shr(odd, 31))) }
}

/** The float of these bits, with its sign flipped where the top bit of `flip` is set. */
const signedBy = (flip: Scalar, bits: Scalar): Scalar => floatOf(xor(bits, and(flip, signBit)))

export const expandSin = (b: Emitter, x: Scalar): Scalar => {
  const { bits, sine, swap, half } = parts(b, x)
  return signedBy(xor(half, bits), xor(sine, swap))
}

export const expandCos = (b: Emitter, x: Scalar): Scalar => {
  const { cosine, swap, odd, half } = parts(b, x)
  return signedBy(xor(half, odd), xor(cosine, swap))
}
