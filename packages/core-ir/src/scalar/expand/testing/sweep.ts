/** @file Sweeps over the bit patterns of single precision: the largest error of an expansion against double precision. */
import { unaryFunction } from '../../arithmetic.ts'
import type { UnaryOp } from '../../scalar-ops.ts'
import { type ExpandedOp, expansions } from '../expansions.ts'
import { runnable } from './run-expansion.ts'
import { ulpDistance } from './ulp.ts'

export type ExpandedUnary = ExpandedOp & UnaryOp
export const expandedUnary = [
  'exp',
  'log',
  'sin',
  'cos',
  'tanh',
  'erf',
  'sigmoid',
] as const satisfies readonly ExpandedUnary[]

export interface Worst {
  readonly op: string
  readonly points: number
  readonly ulp: number
  readonly at: number
}

/** Every `stride`-th of all 2^32 patterns. */
export const sweep = (op: ExpandedUnary, stride: number): Worst => {
  const run = runnable(expansions[op], 'f32', 1),
    exact = unaryFunction(op, 'f64'),
    view = new DataView(new ArrayBuffer(4))
  let worst = 0,
    at = 0,
    points = 0
  for (let bits = 0; bits < 2 ** 32; bits += stride) {
    view.setUint32(0, bits)
    const x = view.getFloat32(0)
    const ulp = ulpDistance(Number(run(x)), Number(exact(x)), 'f32')
    points++
    if (ulp > worst) {
      worst = ulp
      at = x
    }
  }
  return { op, points, ulp: worst, at }
}
