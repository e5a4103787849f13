/** @file Rows of a tensor, named by data. */
import { filled } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, spliced } from './shapes.ts'
import { elementAt, subscript } from './subscript.ts'

export const gather = defineOp({
  name: 'gather',
  doc: 'Takes x at indices along an axis: the axis gives way to the dims of indices. Negative indices count from the end; those outside are moved to the nearest end.',
  class: 'injective',
  family: 'gather',
  operands: ['x', 'indices'],
  attrs: { axis: { kind: 'int', default: 0, doc: 'The axis that is indexed.' } },
  canonical: ({ x }, { axis }) => ({ axis: canonicalAxis(axis, rank(x)) }),
  constraints: [axisInRange, dtypeIs('indices', 'integer')],
  infer: ({ x, indices }, { axis }) => [{ dtype: x.dtype, shape: spliced(x.shape, axis, indices.shape) }],
  compute: (out, { x, indices }, { axis }) => {
    const behind = axis + rank(indices.type)
    const at = subscript(indices.at(...out.slice(axis, behind)), dim(x.type, axis))
    return elementAt(x, [...out.slice(0, axis), at, ...out.slice(behind)], axis)
  },
  gradient: ([g], { builder: b, operands: { x, indices } }, { axis }) => {
    if (g === undefined) return {}
    return { x: b.one('scatter-rows', [filled(b, 0, x.type), indices, g], { axis, reduction: 'add' }) }
  },
  example: `graph example(%x: f32[4,3], %i: i32[2]) {
  %0 = gather(%x, %i) : f32[2,3]
  return y = %0
}`,
})
