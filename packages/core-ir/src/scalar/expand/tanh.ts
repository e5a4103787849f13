/** @file tanh |x| = E / (E + 2) with E = exp(2 |x|) − 1, which is accurate near zero and never passes 1. */
import { type Scalar, unary } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type PerFormat, formatOf } from './float-format.ts'
import { abs, add, atMost, bitsOf, div, floatOf, mul, polynomial, shl, sub, withSignOf } from './notation.ts'

const twoLog2e = 2.8853900817779268

interface Constants {
  /** Where the result has long been 1. */
  readonly end: number
  /** Half of ln 2, in two parts; the first has few enough bits that its product with k is exact. */
  readonly halfLn2: readonly [number, number]
  /** (exp(2 r) − 1) / r on [−0.174, 0.174], minimax. */
  readonly series: readonly number[]
}
const constants: PerFormat<Constants> = {
  // Relative error 1e-8.
  f32: {
    end: 10,
    halfLn2: [0.346572876, 7.14303385e-7],
    series: [2, 1.99999988, 1.33332312, 0.66668433, 0.267747164, 0.0885547027],
  },
  // 4e-17
  f64: {
    end: 20,
    halfLn2: [0.3465735901845619, 9.541074646352939e-11],
    series: [
      2, 2, 1.3333333333333335, 0.6666666666659735, 0.26666666666656, 0.0888888890726679, 0.025396825425093153,
      0.006349189296729801, 0.001410932121307146, 0.00028283264868442703, 5.1406042134803854e-5,
    ],
  },
}

export const expandTanh = (b: Emitter, x: Scalar): Scalar => {
  const { bias, float, magic, mantissa } = formatOf(x)
  const { end, halfLn2, series } = constants[float]
  const a = atMost(b, abs(x), end)
  const k = b.let('k', unary('round', mul(a, twoLog2e)))
  const r = b.let('r', sub(sub(a, mul(k, halfLn2[0])), mul(k, halfLn2[1])))
  const power = b.let('power', floatOf(shl(bitsOf(add(k, magic + bias)), mantissa)))
  const e = b.let('e', add(mul(power, mul(polynomial(r, series), r)), sub(power, 1)))
  return withSignOf(x, div(e, add(e, 2)))
}
