/** @file Shapes and seeded weights of the two transformers: an encoder like MiniLM-L6 and a decoder like a small GPT-2. */
import { type Parameter, spread } from './weights.ts'

export interface Shape {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly hidden: number
}
export const encoder = { layers: 6, width: 384, heads: 12, hidden: 1536, tokens: 128 } as const
/** `past` tokens are in the cache; the step computes the next one. */
export const decoder = { layers: 6, width: 512, heads: 8, hidden: 2048, vocabulary: 50_257, past: 127 } as const

const linear = (name: string, from: number, to: number, gain = 1): readonly Parameter[] => [
  { name: `${name}.weight`, shape: [to, from], scale: spread(from, gain) },
  { name: `${name}.bias`, shape: [to], scale: 0.05 },
]
const norm = (name: string, width: number): readonly Parameter[] => [
  { name: `${name}.weight`, shape: [width], scale: 0.2, mean: 1 },
  { name: `${name}.bias`, shape: [width], scale: 0.1 },
]

export const encoderParameters: readonly Parameter[] = Array.from({ length: encoder.layers }, (_, i) => {
  const { width, hidden } = encoder
  return [
    ...['query', 'key', 'value', 'out'].flatMap(part => linear(`${i}.${part}`, width, width)),
    ...norm(`${i}.norm1`, width),
    ...linear(`${i}.up`, width, hidden),
    ...linear(`${i}.down`, hidden, width),
    ...norm(`${i}.norm2`, width),
  ]
}).flat()

export const decoderParameters: readonly Parameter[] = [
  { name: 'embedding', shape: [decoder.vocabulary, decoder.width], scale: 0.05 },
  { name: 'positions', shape: [decoder.past + 1, decoder.width], scale: 0.05 },
  ...Array.from({ length: decoder.layers }, (_, i) => {
    const { width, hidden } = decoder
    return [
      ...norm(`${i}.norm1`, width),
      ...linear(`${i}.attention`, width, 3 * width),
      ...linear(`${i}.out`, width, width, 0.5),
      ...norm(`${i}.norm2`, width),
      ...linear(`${i}.up`, width, hidden),
      ...linear(`${i}.down`, hidden, width, 0.5),
    ]
  }).flat(),
  ...norm('norm', decoder.width),
]

/** Keys and values of one layer that were computed before: [heads, past, width / heads]. */
export const cacheShape = [decoder.heads, decoder.past, decoder.width / decoder.heads] as const
export const cacheNames: readonly string[] = Array.from({ length: decoder.layers }, (_, i) => [
  `key${i}`,
  `value${i}`,
]).flat()
