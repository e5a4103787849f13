/** @file The polynomials of sin and cos on [−π/4, π/4], which both ops need: a quadrant swaps them and sets the sign. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { and, bitsOf, floatOf, lt, mul, pick, polynomial, shl, xor } from './notation.ts'
import { reduceAngle } from './reduce-angle.ts'

const signBit = -0x80000000

/** Everything that sin x and cos x share: emitted once for both. Minimax fits, relative errors 4e-9 and 4e-8. */
const parts = (b: Emitter, x: Scalar) => {
  const { r, quadrant } = reduceAngle(b, b.let('size', and(b.let('bits', bitsOf(x)), 0x7fffffff)))
  const z = b.let('z', mul(r, r))
  // The low bits of the quadrant as sign bits.
  const odd = b.let('odd', shl(quadrant, 31))
  return {
    sine: b.let('sine', mul(polynomial(z, [1, -0.166666552, 0.00833218824, -0.000195180954]), r)),
    cosine: b.let('cosine', polynomial(z, [1, -0.499998838, 0.0416557156, -0.00135910173])),
    odd,
    swap: b.let('swap', lt(odd, 0)),
    half: b.let('half', shl(quadrant, 30)),
  }
}

/** The float with its sign flipped where the top bit of `flip` is set. */
const signedBy = (flip: Scalar, x: Scalar): Scalar => floatOf(xor(bitsOf(x), and(flip, signBit)))

export const expandSin = (b: Emitter, x: Scalar): Scalar => {
  const { sine, cosine, swap, half } = parts(b, x)
  return signedBy(xor(half, b.let('bits', bitsOf(x))), pick(swap, cosine, sine))
}

export const expandCos = (b: Emitter, x: Scalar): Scalar => {
  const { sine, cosine, swap, odd, half } = parts(b, x)
  return signedBy(xor(half, odd), pick(swap, sine, cosine))
}
