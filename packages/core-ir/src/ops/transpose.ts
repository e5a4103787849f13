/** @file Permutation of dims. */
import { defineOp } from './define-op.ts'
import { canonicalAxis, dim, distinctAxes, rank } from './shapes.ts'

export const transpose = defineOp({
  name: 'transpose',
  doc: 'Permutes dims: dim i of the result is dim perm[i] of x. An empty perm reverses them.',
  class: 'injective',
  operands: ['x'],
  attrs: { perm: { kind: 'ints', default: [], doc: 'Which dim of x each dim of the result is.' } },
  canonical: ({ x }, { perm }) => ({
    perm: perm.length === 0 ? x.shape.map((_, i) => rank(x) - 1 - i) : perm.map(p => canonicalAxis(p, rank(x))),
  }),
  constraints: [
    {
      id: 'perm-is-permutation',
      says: 'perm is a permutation of 0 … rank(x) - 1',
      holds: ({ x }, { perm }) => perm.length === rank(x) && distinctAxes(perm, rank(x)),
      found: ({ x }, { perm }) => `[${perm.join(', ')}] is none for rank ${rank(x)}`,
    },
  ],
  infer: ({ x }, { perm }) => [{ dtype: x.dtype, shape: perm.map(p => dim(x, p)) }],
  compute: (out, { x }, { perm }) => x.at(...x.type.shape.map((_, i) => out[perm.indexOf(i)] ?? 0)),
  gradient: ([g], { builder }, { perm }) =>
    g === undefined ? {} : { x: builder.one('transpose', [g], { perm: perm.map((_, i) => perm.indexOf(i)) }) },
  example: `graph example(%x: f32[2,3]) {
  %0 = transpose(%x, perm=[1,0]) : f32[3,2]
  return y = %0
}`,
})
