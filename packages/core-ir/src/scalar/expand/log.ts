/** @file log: x = 2^k m with m about 1, and log m from s = f / (2 + f), f = m − 1. */
import { type Scalar, literal } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type FloatFormat, type PerFormat, formatOf } from './float-format.ts'
import { add, bitsOf, div, eq, floatOf, ge, lt, mul, pick, polynomial, shl, sub } from './notation.ts'
import { splitExponent } from './split-exponent.ts'

interface Constants {
  /** ln 2 in two parts; the first has few enough bits that its product with k is exact. */
  readonly ln2: readonly [number, number]
  /** The even part of log((1 + s) / (1 − s)); coefficients of FreeBSD's e_logf.c and e_log.c. */
  readonly even: readonly number[]
}
const constants: PerFormat<Constants> = {
  f32: { ln2: [0.693138123, 9.05800061e-6], even: [0.666666627, 0.400009722, 0.284987867, 0.242790788] },
  f64: {
    ln2: [0.6931471803691238, 1.9082149292705877e-10],
    even: [
      0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784, 0.1818357216161805,
      0.15313837699209373, 0.14798198605116586,
    ],
  },
}

const logOfNormal = (b: Emitter, bits: Scalar, bias: number, format: FloatFormat): Scalar => {
  const { ln2, even } = constants[format.float]
  const { m, k } = splitExponent(b, bits, bias, format)
  const f = b.let('f', sub(m, 1))
  const s = b.let('s', div(f, add(f, 2)))
  const z = b.let('z', mul(s, s))
  const square = b.let('square', mul(mul(f, f), 0.5))
  const rest = mul(s, add(square, mul(z, polynomial(z, even))))
  return add(add(sub(add(rest, mul(k, ln2[1])), square), f), mul(k, ln2[0]))
}

export const expandLog = (b: Emitter, x: Scalar): Scalar => {
  const format = formatOf(x)
  const { bias, infinity, int, mantissa, nan, sign, smallestNormal } = format
  const bits = b.let('bits', bitsOf(x))
  // One test for everything but positive normal numbers: the sum wraps infinity and NaN to negative integers.
  const unusual = lt(add(bits, smallestNormal), 2n * smallestNormal)
  const [value] = b.rare(unusual, { log: logOfNormal(b, bits, bias, format) }, inner => {
    const scaled = inner.let('scaled', bitsOf(mul(x, 2 ** (mantissa + 1))))
    const denormal = logOfNormal(inner, scaled, bias + mantissa + 1, format)
    // In bits: ±0 → −∞, negative → NaN, +∞ and NaN stay.
    const negative = pick(lt(bits, 0), literal(nan, int), bitsOf(denormal))
    return [floatOf(pick(eq(shl(bits, 1), 0), infinity + sign, pick(ge(bits, infinity), bits, negative)))]
  })
  if (value === undefined) throw new Error('one value in, one value out')
  return value
}
