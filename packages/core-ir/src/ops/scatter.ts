/** @file Elements put into a tensor at places named by data along one axis. */
import { printTensorType } from '../graph/print-type.ts'
import { defineOp } from './define-op.ts'
import { meet, reductionOfNumbers, scatterAttrs, scatterGradient } from './scattering.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, sameDTypes, sameShapes, spliced } from './shapes.ts'
import { subscript } from './subscript.ts'

export const scatter = defineOp({
  name: 'scatter',
  doc: 'A copy of x in which each update meets the element at its index along an axis and at its own place along the others. Indices are clamped as in gather. The gradient of overwritten updates (reduction none, index repeated) is that of the one that won.',
  class: 'loops',
  family: 'scatter',
  operands: ['x', 'indices', 'updates'],
  attrs: scatterAttrs,
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [
    axisInRange,
    dtypeIs('indices', 'integer'),
    sameDTypes('x', 'updates'),
    sameShapes('indices', 'updates'),
    {
      id: 'dims-agree',
      says: 'rank(indices) = rank(x), with equal dims but along the axis',
      holds: ({ x, indices }, { axis }, context) =>
        rank(x) === rank(indices) && x.shape.every((d, i) => i === axis || context.equal(d, indices.shape[i] ?? -1)),
      found: ({ x, indices }) => `they are ${printTensorType(x)} and ${printTensorType(indices)}`,
    },
    reductionOfNumbers,
  ],
  infer: ({ x }) => [x],
  loops: (b, { x, indices, updates }, [out], { axis, reduction }) => {
    if (out === undefined) return
    b.forAll(x.type.shape, at => b.store(out, at, x.at(...at)))
    b.forAll(indices.type.shape, at => {
      const to = subscript(indices.at(...at), dim(x.type, axis))
      meet(b, out, spliced(at, axis, [to]), axis, updates.at(...at), reduction)
    })
  },
  gradient: ([g], { builder: b, operands: { x, indices, updates }, results: [y] }, { axis, reduction }) => {
    if (g === undefined || y === undefined) return {}
    return scatterGradient(
      b,
      g,
      { x, updates, y },
      reduction,
      (to, from, how) => b.one('scatter', [to, indices, from], { axis, reduction: how }),
      from => b.one('gather-elements', [from, indices], { axis }),
    )
  },
  example: `graph example(%x: f32[2,4], %i: i32[2,3], %u: f32[2,3]) {
  %0 = scatter(%x, %i, %u, axis=1, reduction="add") : f32[2,4]
  return y = %0
}`,
})
