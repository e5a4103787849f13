/** @file Elements of a tensor, each named by data along one axis. */
import { printTensorType } from '../graph/print-type.ts'
import { filled } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, spliced } from './shapes.ts'
import { elementAt, subscript } from './subscript.ts'

export const gatherElements = defineOp({
  name: 'gather-elements',
  doc: 'Element by element x at indices along an axis, and at its own place along the others. Negative indices count from the end; those outside are moved to the nearest end.',
  class: 'injective',
  family: 'gather',
  operands: ['x', 'indices'],
  attrs: { axis: { kind: 'int', default: 0, doc: 'The axis that is indexed.' } },
  canonical: ({ x }, { axis }) => ({ axis: canonicalAxis(axis, rank(x)) }),
  constraints: [
    axisInRange,
    dtypeIs('indices', 'integer'),
    {
      id: 'dims-agree',
      says: 'rank(indices) = rank(x), with equal dims but along the axis',
      holds: ({ x, indices }, { axis }, context) =>
        rank(x) === rank(indices) && x.shape.every((d, i) => i === axis || context.equal(d, indices.shape[i] ?? -1)),
      found: ({ x, indices }) => `they are ${printTensorType(x)} and ${printTensorType(indices)}`,
    },
  ],
  infer: ({ x, indices }) => [{ dtype: x.dtype, shape: indices.shape }],
  compute: (out, { x, indices }, { axis }) =>
    elementAt(x, spliced(out, axis, [subscript(indices.at(...out), dim(x.type, axis))]), axis),
  gradient: ([g], { builder: b, operands: { x, indices } }, { axis }) =>
    g === undefined ? {} : { x: b.one('scatter', [filled(b, 0, x.type), indices, g], { axis, reduction: 'add' }) },
  example: `graph example(%x: f32[2,4], %i: i32[2,3]) {
  %0 = gather-elements(%x, %i, axis=1) : f32[2,3]
  return y = %0
}`,
})
