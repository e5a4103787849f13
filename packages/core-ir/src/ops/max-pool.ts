/** @file Largest element of each window. */
import { constant, variable } from '../index/index-expr.ts'
import { reduce } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { poolAttrs, poolFits, poolInfer, poolWindow, windowElement } from './pools.ts'
import { dtypeIs, rank } from './shapes.ts'

export const maxPool = defineOp({
  name: 'max-pool',
  doc: 'Largest element of each window over [batch, channels, ...spatial]; padding never wins. NaN if there is one.',
  class: 'reduction',
  family: 'pool',
  operands: ['x'],
  attrs: poolAttrs,
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [dtypeIs('x', 'number'), ...poolFits],
  infer: ({ x }, a, context) => [{ dtype: x.dtype, shape: poolInfer(x, a, context) }],
  compute: (out, { x }, a) => {
    const loops = a.kernel.map((k, i) => ({ name: `$k${i}`, extent: constant(k) }))
    return reduce(
      'max',
      loops,
      windowElement(
        x,
        out,
        loops.map(l => variable(l.name)),
        a,
      ),
    )
  },
  gradient: ([g], { builder: b, operands: { x } }, a) => {
    if (g === undefined) return {}
    const winners = b.one('max-pool-index', [x], a)
    return { x: b.one('max-unpool', [g, winners], { ...a, extents: x.type.shape.slice(2) }) }
  },
  example: `graph example(%x: f32[1,2,4,4]) {
  %0 = max-pool(%x, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : f32[1,2,2,2]
  return y = %0
}`,
})
