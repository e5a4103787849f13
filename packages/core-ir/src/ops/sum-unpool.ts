/** @file Windows summed back: the adjoint of summing over windows. */
import { constant, variable } from '../index/index-expr.ts'
import { literal, reduce } from '../scalar/scalar.ts'
import { arithmetic } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { poolAttrs, poolFits, poolWindow, windowOf } from './pools.ts'
import { dtypeIs, rank } from './shapes.ts'
import { whereAll, windowAt } from './windows.ts'

export const sumUnpool = defineOp({
  name: 'sum-unpool',
  doc: 'Adds each element of x to every place of its window: the adjoint of summing over windows, and so of avg-pool but for the division.',
  class: 'reduction',
  operands: ['x'],
  attrs: { ...poolAttrs, extents: { kind: 'dims', doc: 'Spatial extents of the result.' } },
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [
    dtypeIs('x', 'float'),
    ...poolFits,
    {
      id: 'extents-rank',
      says: 'count(extents) = rank(x) - 2',
      holds: ({ x }, { extents }) => extents.length === rank(x) - 2,
    },
  ],
  infer: ({ x }, { extents }) => [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...extents] }],
  compute: ([n, c, ...at], { x }, a) => {
    const loops = a.kernel.map((k, i) => ({ name: `$k${i}`, extent: constant(k) }))
    const places = at.map((p, i) => windowAt(p, variable(`$k${i}`), a, i))
    const element = x.atOr([n ?? 0, c ?? 0, ...places.map(p => p.window)], literal(0, x.type.dtype))
    return reduce(
      'sum',
      loops,
      whereAll(
        places.map(p => p.exact),
        element,
      ),
    )
  },
  gradient: ([g], { builder: b }, a) => {
    if (g === undefined) return {}
    const mean = b.one('avg-pool', [g], { ...windowOf(a), countPads: true })
    return {
      x: arithmetic(b).mul(
        mean,
        a.kernel.reduce((p, k) => p * k, 1),
      ),
    }
  },
  example: `graph example(%x: f32[1,2,2,2]) {
  %0 = sum-unpool(%x, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1], extents=[4,4]) : f32[1,2,4,4]
  return y = %0
}`,
})
