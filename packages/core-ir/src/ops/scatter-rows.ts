/** @file Rows put into a tensor at places named by data. */
import { printShape, printTensorType } from '../graph/print-type.ts'
import { defineOp } from './define-op.ts'
import { meet, reductionOfNumbers, scatterAttrs, scatterGradient } from './scattering.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, equalShapes, rank, sameDTypes, spliced } from './shapes.ts'
import { subscript } from './subscript.ts'

export const scatterRows = defineOp({
  name: 'scatter-rows',
  doc: 'A copy of x in which each row of updates meets the row at its index along an axis; updates has the shape that gather gives. Indices are clamped as in gather. The gradient of overwritten updates (reduction none, index repeated) is that of the one that won.',
  class: 'loops',
  family: 'scatter',
  operands: ['x', 'indices', 'updates'],
  attrs: scatterAttrs,
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [
    axisInRange,
    dtypeIs('indices', 'integer'),
    sameDTypes('x', 'updates'),
    {
      id: 'updates-fit',
      says: 'shape(updates) = shape(x) with the axis replaced by shape(indices)',
      holds: ({ x, indices, updates }, { axis }, context) =>
        equalShapes(updates.shape, spliced(x.shape, axis, indices.shape), context),
      found: ({ x, indices, updates }, { axis }) =>
        `${printTensorType(updates)} has not the shape ${printShape(spliced(x.shape, axis, indices.shape))}`,
    },
    reductionOfNumbers,
  ],
  infer: ({ x }) => [x],
  loops: (b, { x, indices, updates }, [out], { axis, reduction }) => {
    if (out === undefined) return
    b.forAll(x.type.shape, at => b.store(out, at, x.at(...at)))
    const behind = axis + rank(indices.type)
    b.forAll(updates.type.shape, at => {
      const to = subscript(indices.at(...at.slice(axis, behind)), dim(x.type, axis))
      meet(b, out, [...at.slice(0, axis), to, ...at.slice(behind)], axis, updates.at(...at), reduction)
    })
  },
  gradient: ([g], { builder: b, operands: { x, indices, updates }, results: [y] }, { axis, reduction }) => {
    if (g === undefined || y === undefined) return {}
    return scatterGradient(
      b,
      g,
      { x, updates, y },
      reduction,
      (to, from, how) => b.one('scatter-rows', [to, indices, from], { axis, reduction: how }),
      from => b.one('gather', [from, indices], { axis }),
    )
  },
  example: `graph example(%x: f32[4,3], %i: i32[2], %u: f32[2,3]) {
  %0 = scatter-rows(%x, %i, %u, reduction="add") : f32[4,3]
  return y = %0
}`,
})
