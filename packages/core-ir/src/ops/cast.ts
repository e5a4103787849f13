/** @file Conversion of the element type. */
import { isFloat } from '../scalar/scalar-ops.ts'
import { cast as convert } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'

export const cast = defineOp({
  name: 'cast',
  doc: 'Converts by the rules of scalar/cast.ts: float to integer truncates and saturates, NaN gives 0; integers wrap.',
  class: 'injective',
  operands: ['x'],
  attrs: { dtype: { kind: 'dtype', doc: 'The element type wanted.' } },
  constraints: [],
  infer: ({ x }, { dtype }) => [{ dtype, shape: x.shape }],
  compute: (out, { x }, { dtype }) => convert(x.at(...out), dtype),
  gradient: ([g], { builder, operands: { x } }) =>
    g !== undefined && isFloat(g.type.dtype) && isFloat(x.type.dtype)
      ? { x: builder.one('cast', [g], { dtype: x.type.dtype }) }
      : {},
  example: `graph example(%x: f32[2,3]) {
  %0 = cast(%x, dtype=i32) : i32[2,3]
  return y = %0
}`,
})
