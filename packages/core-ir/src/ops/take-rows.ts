/** @file Consecutive rows from a position that data names. */
import { add, fromScalar } from '../index/index-expr.ts'
import { literal } from '../scalar/scalar.ts'
import { filled } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dtypeIs, rank, rankIs, spliced } from './shapes.ts'
import { narrowed } from './subscript.ts'

export const takeRows = defineOp({
  name: 'take-rows',
  doc: 'As many rows as extent says, from position on, along an axis: the adjoint of append in its rows. Rows beyond either end are zero.',
  class: 'injective',
  operands: ['x', 'position'],
  attrs: {
    axis: { kind: 'int', default: 0, doc: 'The axis along which rows are taken.' },
    extent: { kind: 'dim', doc: 'How many rows.' },
  },
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [axisInRange, rankIs('position', 0), dtypeIs('position', 'integer')],
  infer: ({ x }, { axis, extent }) => [{ dtype: x.dtype, shape: spliced(x.shape, axis, [extent]) }],
  compute: (out, { x, position }, { axis }) => {
    const at = out[axis]
    if (at === undefined) throw new RangeError('take-rows along no axis')
    return x.atOr(spliced(out, axis, [add(at, fromScalar(narrowed(position.at())))]), literal(0, x.type.dtype))
  },
  gradient: ([g], { builder: b, operands: { x, position } }, { axis }) =>
    g === undefined ? {} : { x: b.one('append', [filled(b, 0, x.type), g, position], { axis }) },
  example: `graph example(%x: f32[8,3], %p: i32[]) {
  %0 = take-rows(%x, %p, extent=2) : f32[2,3]
  return y = %0
}`,
})
