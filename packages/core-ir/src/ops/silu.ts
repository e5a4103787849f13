/** @file Sigmoid linear unit. */
import { arithmetic } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs } from './shapes.ts'

export const silu = defineOp({
  name: 'silu',
  doc: 'x · sigmoid(x), also called swish.',
  class: 'composite',
  operands: ['x'],
  attrs: {},
  constraints: [dtypeIs('x', 'float')],
  infer: ({ x }) => [x],
  decompose: (b, { x }) => [arithmetic(b).mul(x, arithmetic(b).sigmoid(x))],
  example: `graph example(%x: f32[2,3]) {
  %0 = silu(%x) : f32[2,3]
  return y = %0
}`,
})
