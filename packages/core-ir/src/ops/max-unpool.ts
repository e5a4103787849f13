/** @file Elements summed into the places that won their windows. */
import { constant, product, variable } from '../index/index-expr.ts'
import { binary, indexScalar, literal, reduce } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { kernelIndices, poolAttrs, poolFits, poolWindow, windowOf } from './pools.ts'
import { dtypeIs, rank } from './shapes.ts'
import { whereAll, windowAt } from './windows.ts'

export const maxUnpool = defineOp({
  name: 'max-unpool',
  doc: 'Sums each element of x into the place that won its window: the adjoint of max-pool.',
  class: 'reduction',
  operands: ['x', 'winners'],
  attrs: { ...poolAttrs, extents: { kind: 'dims', doc: 'Spatial extents of the result.' } },
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [
    dtypeIs('x', 'number'),
    ...poolFits,
    {
      id: 'extents-rank',
      says: 'count(extents) = rank(x) - 2',
      holds: ({ x }, { extents: e }) => e.length === rank(x) - 2,
    },
    {
      id: 'winners-match',
      says: 'winners is i32 of shape(x)',
      holds: ({ x, winners }, _, context) =>
        winners.dtype === 'i32' &&
        rank(x) === rank(winners) &&
        x.shape.every((d, i) => context.equal(d, winners.shape[i] ?? -1)),
    },
  ],
  infer: ({ x }, a) => [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...a.extents] }],
  compute: ([n, c, ...at], { x, winners }, a) => {
    const loop = { name: '$k0', extent: product(a.kernel) }
    const ks = kernelIndices(variable(loop.name), a.kernel)
    const places = at.map((p, i) => windowAt(p, ks[i] ?? constant(0), a, i))
    const where = [n ?? 0, c ?? 0, ...places.map(p => p.window)]
    const won = binary('eq', winners.atOr(where, literal(-1, 'i32')), indexScalar(variable(loop.name)))
    const element = x.atOr(where, literal(0, x.type.dtype))
    return reduce('sum', [loop], whereAll([...places.map(p => p.exact), won], element))
  },
  gradient: ([g], { builder: b, operands: { winners } }, a) =>
    g === undefined ? {} : { x: b.one('take-pooled', [g, winners], windowOf(a)) },
  example: `graph example(%x: f32[1,2,2,2], %w: i32[1,2,2,2]) {
  %0 = max-unpool(%x, %w, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1], extents=[4,4]) : f32[1,2,4,4]
  return y = %0
}`,
})
