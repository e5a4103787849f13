/** @file A dim as a number. */
import { cast, indexScalar } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'

export const dimValue = defineOp({
  name: 'dim-value',
  doc: 'An expression over symbols as a scalar tensor: what a mean over a symbolic dim divides by.',
  class: 'injective',
  operands: [],
  attrs: {
    value: { kind: 'dim', doc: 'The expression.' },
    dtype: { kind: 'dtype', default: 'i32', doc: 'The element type.' },
  },
  constraints: [{ id: 'dtype-is-number', says: 'dtype is a number', holds: (_, { dtype }) => dtype !== 'bool' }],
  infer: (_, { dtype }) => [{ dtype, shape: [] }],
  compute: (_, __, { value, dtype }) =>
    cast(indexScalar(value, dtype === 'i64' || dtype === 'u64' ? 'i64' : 'i32'), dtype),
  gradient: 'zero',
  example: `graph example<n: 1..>(%x: f32[n,2]) {
  %0 = dim-value(value=2*n) : i32[]
  return y = %0
}`,
})
