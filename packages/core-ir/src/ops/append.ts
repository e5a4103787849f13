/** @file Rows written at a position into a tensor with room for more. */
import { printTensorType } from '../graph/print-type.ts'
import { fromScalar, sub } from '../index/index-expr.ts'
import { arithmetic, filled } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dtypeIs, rank, rankIs, sameDTypes, spliced } from './shapes.ts'
import { narrowed } from './subscript.ts'

export const append = defineOp({
  name: 'append',
  doc: 'x with rows in place of those from position on, along an axis: how a KV cache grows. Rows beyond either end are dropped. Not changed in x itself; a plan writes in place where x is not used again.',
  class: 'injective',
  operands: ['x', 'rows', 'position'],
  attrs: { axis: { kind: 'int', default: 0, doc: 'The axis along which rows are written.' } },
  canonical: ({ x }, { axis }) => ({ axis: canonicalAxis(axis, rank(x)) }),
  constraints: [
    axisInRange,
    sameDTypes('x', 'rows'),
    rankIs('position', 0),
    dtypeIs('position', 'integer'),
    {
      id: 'dims-agree',
      says: 'rank(rows) = rank(x), with equal dims but along the axis',
      holds: ({ x, rows }, { axis }, context) =>
        rank(x) === rank(rows) && x.shape.every((d, i) => i === axis || context.equal(d, rows.shape[i] ?? -1)),
      found: ({ x, rows }) => `they are ${printTensorType(x)} and ${printTensorType(rows)}`,
    },
  ],
  infer: ({ x }) => [x],
  compute: (out, { x, rows, position }, { axis }) => {
    const at = out[axis]
    if (at === undefined) throw new RangeError('append along no axis')
    return rows.atOr(spliced(out, axis, [sub(at, fromScalar(narrowed(position.at())))]), x.at(...out))
  },
  gradient: ([g], { builder: b, operands: { x, rows, position } }, { axis }) => {
    if (g === undefined) return {}
    // The rows of x that were replaced get nothing; those of `rows` what now stands in their place, if it fell inside.
    const { select, eq } = arithmetic(b)
    const zeros = (type: typeof x.type) => filled(b, 0, type)
    const replaced = b.one('append', [zeros(x.type), filled(b, 1, rows.type), position], { axis })
    const kept = select(eq(replaced, 0), g, 0)
    return { x: kept, rows: b.one('take-rows', [g, position], { axis, extent: rows.type.shape[axis] ?? null }) }
  },
  example: `graph example(%x: f32[8,3], %r: f32[2,3], %p: i32[]) {
  %0 = append(%x, %r, %p) : f32[8,3]
  return y = %0
}`,
})
