/** @file Explicit broadcasting. */
import { printShape, printTensorType } from '../graph/print-type.ts'
import { broadcastIndices } from './broadcasting.ts'
import { sumTo } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { isOne } from './shapes.ts'

export const broadcast = defineOp({
  name: 'broadcast',
  doc: 'Repeats dims of extent 1, and adds leading dims, until x has the shape. Dims are aligned at the end.',
  class: 'injective',
  operands: ['x'],
  attrs: { shape: { kind: 'dims', doc: 'The shape wanted.' } },
  constraints: [
    {
      id: 'stretches',
      says: 'every dim of x is 1 or equals the dim of shape that it is aligned with',
      holds: ({ x }, { shape }, context) =>
        x.shape.length <= shape.length &&
        x.shape.every((d, i) => isOne(d) || context.equal(d, shape[shape.length - x.shape.length + i] ?? -1)),
      found: ({ x }, { shape }) => `${printTensorType(x)} does not stretch to ${printShape(shape)}`,
    },
  ],
  infer: ({ x }, { shape }) => [{ dtype: x.dtype, shape }],
  compute: (out, { x }) => x.at(...broadcastIndices(out, x.type.shape)),
  gradient: ([g], { builder, operands: { x } }) => (g === undefined ? {} : { x: sumTo(builder, g, x.type.shape) }),
  example: `graph example(%x: f32[3]) {
  %0 = broadcast(%x, shape=[2,3]) : f32[2,3]
  return y = %0
}`,
})
