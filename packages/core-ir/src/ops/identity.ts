/** @file The value itself. */
import { defineOp } from './define-op.ts'

export const identity = defineOp({
  name: 'identity',
  doc: 'The value itself.',
  class: 'injective',
  operands: ['x'],
  attrs: {},
  constraints: [],
  infer: ({ x }) => [x],
  compute: (out, { x }) => x.at(...out),
  gradient: ([g]) => (g === undefined ? {} : { x: g }),
  example: `graph example(%x: f32[2,3]) {
  %0 = identity(%x) : f32[2,3]
  return y = %0
}`,
})
