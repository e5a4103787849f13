/** @file Which element of each window is largest. */
import { product, variable } from '../index/index-expr.ts'
import { reduce } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { kernelIndices, poolAttrs, poolFits, poolInfer, poolWindow, windowElement } from './pools.ts'
import { dtypeIs, rank } from './shapes.ts'

export const maxPoolIndex = defineOp({
  name: 'max-pool-index',
  doc: 'Which element of its window max-pool takes, row-major in the window; the first wins. Not differentiable: the result is a position.',
  class: 'reduction',
  operands: ['x'],
  attrs: poolAttrs,
  canonical: ({ x }, a) => poolWindow(a, rank(x) - 2),
  constraints: [dtypeIs('x', 'number'), ...poolFits],
  infer: ({ x }, a, context) => [{ dtype: 'i32', shape: poolInfer(x, a, context) }],
  compute: (out, { x }, a) => {
    const loop = { name: '$k0', extent: product(a.kernel) }
    const ks = kernelIndices(variable(loop.name), a.kernel)
    return reduce('argmax', [loop], windowElement(x, out, ks, a), 'i32')
  },
  gradient: 'none',
  example: `graph example(%x: f32[1,2,4,4]) {
  %0 = max-pool-index(%x, kernel=[2,2], strides=[2,2], pads=[0,0,0,0], dilations=[1,1]) : i32[1,2,2,2]
  return y = %0
}`,
})
