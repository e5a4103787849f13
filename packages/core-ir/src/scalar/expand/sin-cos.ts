/** @file The polynomials of sin and cos on [−π/4, π/4], which both ops need: a quadrant swaps them and sets the sign. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type PerFormat, formatOf } from './float-format.ts'
import { and, bitsOf, floatOf, mul, polynomial, shl, shr, xor } from './notation.ts'
import { reduceAngle } from './reduce-angle.ts'

interface Constants {
  /** sin(r) / r and cos(r) in powers of r². */
  readonly sine: readonly number[]
  readonly cosine: readonly number[]
}
const constants: PerFormat<Constants> = {
  // Minimax, relative errors 4e-9 and 4e-8.
  f32: {
    sine: [1, -0.166666552, 0.00833218824, -0.000195180954],
    cosine: [1, -0.499998838, 0.0416557156, -0.00135910173],
  },
  // FreeBSD's k_sin.c and k_cos.c.
  f64: {
    sine: [
      1, -0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-6,
      -2.5050760253406863e-8, 1.58969099521155e-10,
    ],
    cosine: [
      1, -0.5, 0.0416666666666666, -0.001388888888887411, 2.480158728947673e-5, -2.7557314351390663e-7,
      2.087572321298175e-9, -1.1359647557788195e-11,
    ],
  },
}

/** Everything that sin x and cos x share: emitted once for both. */
const parts = (b: Emitter, x: Scalar) => {
  const { float, magnitude, sign, width } = formatOf(x)
  const bits = b.let('bits', bitsOf(x))
  const { r, quadrant } = reduceAngle(b, b.let('size', and(bits, magnitude)))
  const z = b.let('z', mul(r, r))
  const sine = b.let('sine', bitsOf(mul(polynomial(z, constants[float].sine), r)))
  const cosine = b.let('cosine', bitsOf(polynomial(z, constants[float].cosine)))
  // The low bits of the quadrant as sign bits.
  const odd = b.let('odd', shl(quadrant, width - 1)),
    half = b.let('half', shl(quadrant, width - 2))
  // In odd quadrants the two change places: fewer operations than two selects.
  const swap = b.let('swap', and(xor(sine, cosine), shr(odd, width - 1)))
  return { bits, sine, cosine, odd, half, swap, sign }
}

export const expandSin = (b: Emitter, x: Scalar): Scalar => {
  const { bits, sine, swap, half, sign } = parts(b, x)
  return floatOf(xor(xor(sine, swap), and(xor(half, bits), sign)))
}

export const expandCos = (b: Emitter, x: Scalar): Scalar => {
  const { cosine, swap, odd, half, sign } = parts(b, x)
  return floatOf(xor(xor(cosine, swap), and(xor(half, odd), sign)))
}
