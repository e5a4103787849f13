/** @file The same elements in another shape. */
import { printShape, printTensorType } from '../graph/print-type.ts'
import { product } from '../index/index-expr.ts'
import { reshapeTo } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { reshapeIndices } from './reshape-indices.ts'

export const reshape = defineOp({
  name: 'reshape',
  doc: 'The same elements, in row-major order, in another shape.',
  class: 'injective',
  operands: ['x'],
  attrs: { shape: { kind: 'dims', doc: 'The shape wanted.' } },
  constraints: [
    {
      id: 'same-count',
      says: 'product(shape(x)) = product(shape)',
      holds: ({ x }, { shape }, context) => context.equal(product(x.shape), product(shape)),
      found: ({ x }, { shape }) =>
        `${printTensorType(x)} has ${product(x.shape).key} elements, ${printShape(shape)} has ${product(shape).key}`,
    },
  ],
  infer: ({ x }, { shape }) => [{ dtype: x.dtype, shape }],
  compute: (out, { x }, { shape }) => x.at(...reshapeIndices(out, shape, x.type.shape)),
  gradient: ([g], { builder, operands: { x } }) => (g === undefined ? {} : { x: reshapeTo(builder, g, x.type.shape) }),
  example: `graph example(%x: f32[2,3]) {
  %0 = reshape(%x, shape=[6]) : f32[6]
  return y = %0
}`,
})
