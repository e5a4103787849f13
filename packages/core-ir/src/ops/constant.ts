/** @file A tensor known at build. */
import { bytesOf } from '@quern/artifact'
import { constant as index } from '../index/index-expr.ts'
import { defineOp } from './define-op.ts'

const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)

export const constant = defineOp({
  name: 'constant',
  doc: 'A tensor known at build, row-major. Bytes of a source are little-endian and read late.',
  class: 'constant',
  operands: [],
  attrs: {
    data: { kind: 'constant', doc: 'The elements (one alone fills the whole shape), or the bytes that hold them.' },
    dtype: { kind: 'dtype', default: 'f32', doc: 'The element type.' },
    shape: { kind: 'ints', default: [], doc: 'The extents.' },
  },
  constraints: [
    {
      id: 'extents-not-negative',
      says: 'every extent is a non-negative integer',
      holds: (_, { shape }) => shape.every(d => Number.isSafeInteger(d) && d >= 0),
    },
    {
      id: 'data-fills-shape',
      says: 'count(data) = product(shape), or 1',
      holds: (_, { data, dtype, shape }) =>
        data.kind === 'inline'
          ? data.values.length === count(shape) || data.values.length === 1
          : data.length === count(shape) * bytesOf[dtype],
      found: (_, { data, dtype, shape }) =>
        data.kind === 'inline'
          ? `${data.values.length} is not ${count(shape)}`
          : `${data.length} bytes are not ${count(shape)} elements of ${dtype}`,
    },
  ],
  infer: (_, { dtype, shape }) => [{ dtype, shape: shape.map(index) }],
  gradient: 'zero',
  example: `graph example() {
  %0 = constant(data=[1,2,3,4,5,6], shape=[2,3]) : f32[2,3]
  return y = %0
}`,
})
