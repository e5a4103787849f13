/** @file Random words from a key and a counter. */
import { cast, indexScalar, literal } from '../scalar/scalar.ts'
import { threefry2x32 } from '../scalar/random.ts'
import { defineOp } from './define-op.ts'
import { keyIsTwoWords } from './random-numbers.ts'
import { flatten } from './reshape-indices.ts'

export const randomBits = defineOp({
  name: 'random-bits',
  doc: 'Random u32 words: element i, counted row-major, is the first word of Threefry-2x32 under the key at counter (i, stream). Bit-equal on every target. Not differentiable: the results are bits.',
  class: 'loops',
  operands: ['key'],
  attrs: {
    shape: { kind: 'dims', doc: 'The shape wanted.' },
    stream: {
      kind: 'int',
      default: 0,
      doc: 'Second word of the counter: different streams of one key are independent.',
    },
  },
  constraints: [
    keyIsTwoWords,
    {
      id: 'stream-is-word',
      says: '0 ≤ stream < 2³²',
      holds: (_, { stream }) => Number.isInteger(stream) && stream >= 0 && stream < 2 ** 32,
      found: (_, { stream }) => `it is ${stream}`,
    },
  ],
  infer: (_, { shape }) => [{ dtype: 'u32', shape }],
  loops: (b, { key }, [out], { shape, stream }) => {
    if (out === undefined) return
    b.forAll(shape, at => {
      const words = [b.let('k', key.at(0)), b.let('k', key.at(1))] as const
      const [word] = threefry2x32((hint, value) => b.let(hint, value), words, [
        cast(indexScalar(flatten(at, shape)), 'u32'),
        literal(stream, 'u32'),
      ])
      b.store(out, at, word)
    })
  },
  gradient: 'none',
  example: `graph example(%key: u32[2]) {
  %0 = random-bits(%key, shape=[2,3]) : u32[2,3]
  return y = %0
}`,
})
