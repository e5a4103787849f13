/** @file The value itself, through which no gradient passes. */
import { defineOp } from './define-op.ts'

export const stopGradient = defineOp({
  name: 'stop-gradient',
  doc: 'The value itself; its gradient is zero.',
  class: 'injective',
  operands: ['x'],
  attrs: {},
  constraints: [],
  infer: ({ x }) => [x],
  compute: (out, { x }) => x.at(...out),
  gradient: 'zero',
  example: `graph example(%x: f32[2,3]) {
  %0 = stop-gradient(%x) : f32[2,3]
  return y = %0
}`,
})
