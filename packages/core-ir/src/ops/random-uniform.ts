/** @file Random numbers in [0, 1). */
import { arithmetic, filled } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { keyIsTwoWords, streamAttrs } from './random-numbers.ts'

export const randomUniform = defineOp({
  name: 'random-uniform',
  doc: 'Random f32 numbers in [0, 1): the upper 24 bits of random-bits times 2⁻²⁴. Bit-equal on every target.',
  class: 'composite',
  operands: ['key'],
  attrs: streamAttrs,
  constraints: [keyIsTwoWords],
  infer: (_, { shape }) => [{ dtype: 'f32', shape }],
  decompose: (b, { key }, attrs) => {
    const bits = b.one('random-bits', [key], attrs)
    const upper = b.one('shr', [bits, filled(b, 8, bits.type)])
    return [arithmetic(b).mul(b.one('cast', [upper], { dtype: 'f32' }), 2 ** -24)]
  },
  gradient: 'zero',
  example: `graph example(%key: u32[2]) {
  %0 = random-uniform(%key, shape=[2,3]) : f32[2,3]
  return y = %0
}`,
})
