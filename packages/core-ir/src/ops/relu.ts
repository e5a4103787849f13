/** @file Rectifier. */
import { binary, literal } from '../scalar/scalar.ts'
import { arithmetic } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs } from './shapes.ts'

export const relu = defineOp({
  name: 'relu',
  doc: 'max(x, 0); NaN stays NaN. Its derivative at 0 is 0.',
  class: 'injective',
  operands: ['x'],
  attrs: {},
  constraints: [dtypeIs('x', 'number')],
  infer: ({ x }) => [x],
  compute: (out, { x }) => binary('max', x.at(...out), literal(0, x.type.dtype)),
  gradient: ([g], { builder, operands: { x } }) => {
    if (g === undefined) return {}
    const { select, gt } = arithmetic(builder)
    return { x: select(gt(x, 0), g, 0) }
  },
  example: `graph example(%x: f32[2,3]) {
  %0 = relu(%x) : f32[2,3]
  return y = %0
}`,
})
