/** @file The adjoint of broadcasting. */
import { printShape, printTensorType } from '../graph/print-type.ts'
import { constant, variable } from '../index/index-expr.ts'
import { reduce } from '../scalar/scalar.ts'
import { broadcastTo, stretchedAxes } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { dim, dtypeIs, isOne } from './shapes.ts'

export const sumToOp = defineOp({
  name: 'sum-to',
  doc: 'Sums over the leading dims that shape lacks and over dims where shape has 1: the adjoint of broadcast.',
  class: 'reduction',
  operands: ['x'],
  attrs: { shape: { kind: 'dims', doc: 'The shape wanted; x is a broadcast of it.' } },
  constraints: [
    dtypeIs('x', 'number'),
    {
      id: 'is-stretched',
      says: 'every dim of shape is 1 or equals the dim of x that it is aligned with',
      holds: ({ x }, { shape }, context) =>
        shape.length <= x.shape.length &&
        shape.every((d, i) => isOne(d) || context.equal(d, x.shape[x.shape.length - shape.length + i] ?? -1)),
      found: ({ x }, { shape }) => `${printTensorType(x)} does not sum to ${printShape(shape)}`,
    },
  ],
  infer: ({ x }, { shape }) => [{ dtype: x.dtype, shape }],
  compute: (out, { x }, { shape }) => {
    const axes = stretchedAxes(x.type.shape, shape)
    const loops = axes.map((axis, i) => ({ name: `$k${i}`, extent: dim(x.type, axis) }))
    const extra = x.type.shape.length - shape.length
    const element = x.at(
      ...x.type.shape.map((_, i) => {
        const loop = loops[axes.indexOf(i)]
        return loop === undefined ? (out[i - extra] ?? constant(0)) : variable(loop.name)
      }),
    )
    return loops.length === 0 ? element : reduce('sum', loops, element)
  },
  gradient: ([g], { builder, operands: { x } }) =>
    g === undefined ? {} : { x: broadcastTo(builder, g, x.type.shape) },
  example: `graph example(%x: f32[4,2,3]) {
  %0 = sum-to(%x, shape=[2,1]) : f32[2,1]
  return y = %0
}`,
})
