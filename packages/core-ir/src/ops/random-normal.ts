/** @file Normally distributed random numbers. */
import { arithmetic } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { keyIsTwoWords, streamAttrs } from './random-numbers.ts'

export const randomNormal = defineOp({
  name: 'random-normal',
  doc: 'Random f32 numbers of mean 0 and variance 1, by Box and Muller from two uniform streams, 2 · stream and 2 · stream + 1.',
  class: 'composite',
  operands: ['key'],
  attrs: streamAttrs,
  constraints: [keyIsTwoWords],
  infer: (_, { shape }) => [{ dtype: 'f32', shape }],
  decompose: (b, { key }, { shape, stream }) => {
    const { mul, sub, sqrt, log, cos, neg } = arithmetic(b)
    const uniform = (n: number) => b.one('random-uniform', [key], { shape, stream: 2 * stream + n })
    // 1 − u lies in (0, 1], where the logarithm is finite.
    const inverse = neg(sub(uniform(0), 1))
    return [mul(sqrt(mul(log(inverse), -2)), cos(mul(uniform(1), 2 * Math.PI)))]
  },
  gradient: 'zero',
  example: `graph example(%key: u32[2]) {
  %0 = random-normal(%key, shape=[2,3]) : f32[2,3]
  return y = %0
}`,
})
