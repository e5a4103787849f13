/** @file Tensors one after another. */
import { printTensorType } from '../graph/print-type.ts'
import { type Index, add, constant, sub } from '../index/index-expr.ts'
import { type Scalar, literal } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { axisIn, canonicalAxis, dim, rank, spliced } from './shapes.ts'

export const concat = defineOp({
  name: 'concat',
  doc: 'Joins tensors along an axis.',
  class: 'injective',
  operands: ['...parts'],
  attrs: { axis: { kind: 'int', default: 0, doc: 'The axis along which they follow one another.' } },
  canonical: ({ parts: [first] }, { axis }) => ({
    axis: first === undefined ? axis : canonicalAxis(axis, rank(first)),
  }),
  constraints: [
    { id: 'some-parts', says: 'there is at least one part', holds: ({ parts }) => parts.length > 0 },
    {
      id: 'axis-in-range',
      says: '-rank(part) ≤ axis < rank(part)',
      holds: ({ parts }, { axis }) => parts.every(p => axisIn(axis, rank(p))),
      found: (_, { axis }) => `axis is ${axis}`,
    },
    {
      id: 'parts-agree',
      says: 'the parts have one dtype, one rank, and equal dims but along the axis',
      holds: ({ parts: [first, ...rest] }, { axis }, context) =>
        first !== undefined &&
        rest.every(
          p =>
            p.dtype === first.dtype &&
            rank(p) === rank(first) &&
            p.shape.every((d, i) => i === axis || context.equal(d, first.shape[i] ?? -1)),
        ),
      found: ({ parts }) => `they are ${parts.map(printTensorType).join(', ')}`,
    },
  ],
  infer: ({ parts }, { axis }) => {
    const [first] = parts
    if (first === undefined) return []
    return [{ dtype: first.dtype, shape: spliced(first.shape, axis, [add(...parts.map(p => dim(p, axis)))]) }]
  },
  compute: (out, { parts }, { axis }) => {
    const [first] = parts
    const at = out[axis]
    if (first === undefined || at === undefined) throw new RangeError('concat of nothing')
    // Each part reads only inside itself; where it has nothing the next one is asked.
    let from: Index = constant(0)
    const starts = parts.map(p => {
      const start = from
      from = add(from, dim(p.type, axis))
      return start
    })
    return parts.reduceRight<Scalar>(
      (rest, p, i) => p.atOr(spliced(out, axis, [sub(at, starts[i] ?? 0)]), rest),
      literal(0, first.type.dtype),
    )
  },
  gradient: ([g], { builder: b, operands: { parts } }, { axis }) => {
    if (g === undefined) return {}
    let from: Index = constant(0)
    return {
      parts: parts.map(({ type }) => {
        const starts = type.shape.map((_, i) => (i === axis ? from : constant(0)))
        from = add(from, dim(type, axis))
        return b.one('slice', [g], { starts, sizes: type.shape })
      }),
    }
  },
  example: `graph example(%a: f32[2,3], %b: f32[1,3]) {
  %0 = concat(%a, %b) : f32[3,3]
  return y = %0
}`,
})
