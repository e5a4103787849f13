/** @file Gaussian error linear unit. */
import { arithmetic } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs } from './shapes.ts'

export const gelu = defineOp({
  name: 'gelu',
  doc: 'x Φ(x), with Φ by erf or by the usual approximation through tanh.',
  class: 'composite',
  operands: ['x'],
  attrs: { approximate: { kind: 'string', default: 'none', oneOf: ['none', 'tanh'], doc: 'How Φ is computed.' } },
  constraints: [dtypeIs('x', 'float')],
  infer: ({ x }) => [x],
  decompose: (b, { x }, { approximate }) => {
    const { mul, add, erf, sigmoid } = arithmetic(b)
    // (1 + tanh u) / 2 is the sigmoid of 2 u, which does not cancel where u is negative.
    if (approximate === 'tanh')
      return [mul(x, sigmoid(mul(add(x, mul(mul(mul(x, x), x), 0.044715)), 2 * Math.sqrt(2 / Math.PI))))]
    return [mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1))]
  },
  example: `graph example(%x: f32[2,3]) {
  %0 = gelu(%x) : f32[2,3]
  return y = %0
}`,
})
