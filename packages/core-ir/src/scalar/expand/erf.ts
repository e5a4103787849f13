/** @file erf: an odd polynomial below 0.9; above, 1 − q(x)^8, since the eighth root of erfc is smooth. No division. */
import type { Scalar } from '../scalar.ts'
import type { Emitter } from './emitter.ts'
import { type PerFormat, formatOf } from './float-format.ts'
import { abs, add, atMost, lt, mul, pick, polynomial, sub, withSignOf } from './notation.ts'

interface Constants {
  /** Where the result has long been 1. */
  readonly end: number
  /** erf(x) / x − 1 in powers of x², below 0.9. */
  readonly near: readonly number[]
  /** The eighth root of erfc from 0.9 to the end, in powers of `slope · x + shift`. */
  readonly far: readonly number[]
  readonly slope: number
  readonly shift: number
}
const constants: PerFormat<Constants> = {
  // Minimax: relative error 1.4e-8 near, 6e-9 far.
  f32: {
    end: 4,
    near: [0.128379151, -0.376125038, 0.112819217, -0.026770493, 0.00499895914, -0.000602079963],
    far: [
      1.00022662, -0.142279387, -0.0667700246, -0.00578742102, 0.00949725602, -0.00123507029, -9.15389101e-5,
      1.97565023e-5,
    ],
    slope: 1,
    shift: 0,
  },
  // Chebyshev: 6e-19 near, 2e-18 far, where the variable runs from −1 to 1.
  f64: {
    end: 6,
    near: [
      0.1283791670955126, -0.3761263890318373, 0.11283791670953777, -0.026866170644820428, 0.0052239776217354785,
      -0.000854832676232635, 0.00012055321300958605, -1.4925305548021904e-5, 1.6455297715919342e-6,
      -1.6276226679249975e-7, 1.4049847349464917e-8, -8.490158026388939e-10,
    ],
    far: [
      0.17925541677859175, -0.40964642104328397, 0.32733486208503854, -0.036936841400428765, -0.1030945238904145,
      0.05456732011119138, 0.008327065755810891, -0.015430143885704413, 0.0027162452837697477, 0.0020342915973242683,
      -0.0008688874942343303, -0.00012566596172130384, 0.0001385737834948543, -6.732794291566814e-6,
      -1.5650085161090335e-5, 3.422973248637479e-6, 9.216188535978551e-7, -3.6862307884427736e-7, -6.14250586132058e-8,
      3.9101504588297855e-8, 3.4757740182504853e-9, -2.829205277211965e-9, 3.832315619460384e-10, -1.913920479978371e-9,
      1.0843656877168755e-9, 1.5295487005653612e-10, -1.5324477255534406e-10,
    ],
    slope: 1 / 2.55,
    shift: -3.45 / 2.55,
  },
}

export const expandErf = (b: Emitter, x: Scalar): Scalar => {
  const { end, near, far, slope, shift } = constants[formatOf(x).float]
  const a = atMost(b, abs(x), end)
  const small = add(mul(polynomial(b.let('z', mul(a, a)), near), a), a)
  const t = slope === 1 ? a : b.let('t', add(mul(a, slope), shift))
  const q = b.let('q', polynomial(t, far)),
    q2 = b.let('q2', mul(q, q)),
    q4 = b.let('q4', mul(q2, q2))
  return withSignOf(x, pick(lt(a, 0.9), small, sub(1, mul(q4, q4))))
}
