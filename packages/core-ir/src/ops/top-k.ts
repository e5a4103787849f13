/** @file The largest or smallest elements along an axis. */
import { constant, isConst, sub } from '../index/index-expr.ts'
import { defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, rank, spliced } from './shapes.ts'

/** So many are picked out, more are sorted. */
const few = 128

export const topK = defineOp({
  name: 'top-k',
  doc: 'The k largest (or smallest) values along an axis in order, and where each one stands. Equal values keep their order; NaN counts as the largest.',
  class: 'composite',
  operands: ['x'],
  attrs: {
    k: { kind: 'dim', doc: 'How many.' },
    axis: { kind: 'int', default: -1, doc: 'The axis that is searched.' },
    largest: { kind: 'bool', default: true, doc: 'The largest, largest first; else the smallest, smallest first.' },
    dtype: { kind: 'dtype', default: 'i32', oneOf: ['i32', 'i64'], doc: 'Of the positions.' },
  },
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [
    dtypeIs('x', 'number'),
    axisInRange,
    {
      id: 'k-in-range',
      says: '0 ≤ k ≤ dim(x, axis)',
      holds: () => true,
      requires: ({ x }, { k, axis }) => [k, sub(dim(x, axis), k)],
      found: ({ x }, { k, axis }) => `k is ${k.key} of ${dim(x, axis).key}`,
    },
  ],
  infer: ({ x }, { k, axis, dtype }) => {
    const shape = spliced(x.shape, axis, [k])
    return [
      { dtype: x.dtype, shape },
      { dtype, shape },
    ]
  },
  decompose: (b, { x }, { k, axis, largest, dtype }) => {
    // Each of the first few may move all of them: more are sorted sooner.
    if (isConst(k) && k.value <= few)
      return b.add('sort-first', [x], { count: k.value, axis, descending: largest, dtype })
    const sizes = spliced(x.type.shape, axis, [k]),
      starts = sizes.map(() => constant(0))
    return b.add('sort', [x], { axis, descending: largest, dtype }).map(all => b.one('slice', [all], { starts, sizes }))
  },
  example: `graph example(%x: f32[2,5]) {
  %0, %1 = top-k(%x, k=2, axis=1) : f32[2,2], i32[2,2]
  return values = %0, positions = %1
}`,
})
