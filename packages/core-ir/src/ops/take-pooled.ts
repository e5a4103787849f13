/** @file Elements at the places that won their windows. */
import { constant, product, variable } from '../index/index-expr.ts'
import { binary, indexScalar, literal, reduce } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { kernelIndices, poolAttrs, poolFits, poolInfer, poolWindow } from './pools.ts'
import { dtypeIs, rank } from './shapes.ts'
import { positionIn, whereAll } from './windows.ts'

export const takePooled = defineOp({
  name: 'take-pooled',
  doc: 'The element of x at the winning place of each window: the adjoint of max-unpool. Zero where that is padding.',
  class: 'reduction',
  operands: ['x', 'winners'],
  attrs: poolAttrs,
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [
    dtypeIs('x', 'number'),
    ...poolFits,
    {
      id: 'winners-match',
      says: 'winners is i32 with a number for each window of x',
      holds: ({ x, winners }, a, context) => {
        const shape = poolInfer(x, a, context)
        return (
          winners.dtype === 'i32' &&
          rank(winners) === shape.length &&
          shape.every((d, i) => context.equal(d, winners.shape[i] ?? -1))
        )
      },
    },
  ],
  infer: ({ x, winners }) => [{ dtype: x.dtype, shape: winners.shape }],
  compute: (out, { x, winners }, a) => {
    const loop = { name: '$k0', extent: product(a.kernel) }
    const ks = kernelIndices(variable(loop.name), a.kernel)
    const [n, c, ...at] = out
    const element = x.atOr(
      [n ?? 0, c ?? 0, ...at.map((p, i) => positionIn(p, ks[i] ?? constant(0), a, i))],
      literal(0, x.type.dtype),
    )
    return reduce(
      'sum',
      [loop],
      whereAll([binary('eq', winners.at(...out), indexScalar(variable(loop.name)))], element),
    )
  },
  gradient: ([g], { builder: b, operands: { x, winners } }, a) =>
    g === undefined ? {} : { x: b.one('max-unpool', [g, winners], { ...a, extents: x.type.shape.slice(2) }) },
  example: `graph example(%x: f32[1,2,4,4], %w: i32[1,2,2,2]) {
  %0 = take-pooled(%x, %w, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : f32[1,2,2,2]
  return y = %0
}`,
})
