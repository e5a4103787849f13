/** @file Positions along an axis. */
import { printShape } from '../graph/print-type.ts'
import { cast, indexScalar } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { axisIn, canonicalAxis } from './shapes.ts'

export const iota = defineOp({
  name: 'iota',
  doc: 'Each element is its own position along the axis.',
  class: 'injective',
  operands: [],
  attrs: {
    shape: { kind: 'dims', doc: 'The shape wanted.' },
    axis: { kind: 'int', default: 0, doc: 'The axis that counts.' },
    dtype: { kind: 'dtype', default: 'i32', doc: 'The element type.' },
  },
  canonical: (_, a) => ({ ...a, axis: canonicalAxis(a.axis, a.shape.length) }),
  constraints: [
    {
      id: 'axis-in-range',
      says: '-rank(shape) ≤ axis < rank(shape)',
      holds: (_, { shape, axis }) => axisIn(axis, shape.length),
      found: (_, { shape, axis }) => `axis is ${axis} for ${printShape(shape)}`,
    },
    { id: 'dtype-is-number', says: 'dtype is a number', holds: (_, { dtype }) => dtype !== 'bool' },
  ],
  infer: (_, { shape, dtype }) => [{ dtype, shape }],
  compute: (out, _, { axis, dtype }) => {
    const at = out[axis]
    if (at === undefined) throw new RangeError(`iota along axis ${axis} of ${out.length}`)
    return cast(indexScalar(at, dtype === 'i64' || dtype === 'u64' ? 'i64' : 'i32'), dtype)
  },
  gradient: 'zero',
  example: `graph example() {
  %0 = iota(shape=[2,3], axis=1) : i32[2,3]
  return y = %0
}`,
})
