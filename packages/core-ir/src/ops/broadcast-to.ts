/** @file Broadcasting to a shape that an integer tensor holds. */
import { printTensorType } from '../graph/print-type.ts'
import { broadcastIndices, broadcastShapes } from './broadcasting.ts'
import { sumTo } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs, rankIs } from './shapes.ts'

export const broadcastTo = defineOp({
  name: 'broadcast-to',
  doc: 'x and the shape that a tensor holds broadcast together: dims of 1 on either side give way to the other. The shape must be shape arithmetic, and becomes an attribute at build.',
  class: 'injective',
  operands: ['x', 'shape'],
  known: ['shape'],
  attrs: {},
  constraints: [
    rankIs('shape', 1),
    dtypeIs('shape', 'integer'),
    {
      id: 'shape-is-known',
      says: 'every element of shape to be a number or an expression over dims, not data',
      holds: (_, __, context) => context.elements('shape') !== undefined,
    },
    {
      id: 'dims-broadcast',
      says: 'the dims of x and of shape, aligned at the end, are equal or one of them is 1',
      holds: ({ x }, _, context) => broadcastShapes(x.shape, context.elements('shape') ?? [], context) !== undefined,
      found: ({ x }) => `x is ${printTensorType(x)}`,
    },
  ],
  infer: ({ x }, _, context) => [
    { dtype: x.dtype, shape: broadcastShapes(x.shape, context.elements('shape') ?? [], context) ?? [] },
  ],
  compute: (out, { x }) => x.at(...broadcastIndices(out, x.type.shape)),
  gradient: ([g], { builder, operands: { x } }) => (g === undefined ? {} : { x: sumTo(builder, g, x.type.shape) }),
  example: `graph example<n: 1..>(%x: f32[n,1]) {
  %0 = dim-value(value=n, dtype=i64) : i64[]
  %1 = reshape(%0, shape=[1]) : i64[1]
  %2 = constant(data=[3], dtype=i64, shape=[1]) : i64[1]
  %3 = concat(%1, %2) : i64[2]
  %4 = broadcast-to(%x, %3) : f32[n,3]
  return y = %4
}`,
})
