/**
 * @file Random numbers from a key: `random.uniform(key, [n, 3])`. The same key and stream give the same numbers on every
 * target, to the bit; an app that wants new ones passes a new key.
 */
import type { WrittenShape } from '../shape-types.ts'
import { checkOptions } from '../arguments.ts'
import { type Sizes, toShape } from '../size.ts'
import { type Tensor, apply } from '../tensor.ts'
import { symbolsOf } from './create.ts'

/** Two words: an input, so that every run may have another, or a constant. */
export type Key = Tensor<'u32'>
export interface RandomOptions {
  /** Different streams of one key are independent: 0 ≤ stream < 2³² (`normal`: 2³¹). Default 0. */
  readonly stream?: number
}

const drawn =
  <D extends 'f32' | 'u32'>(op: string) =>
  <const S extends Sizes>(key: Key, shape: S, options: RandomOptions = {}): Tensor<D, WrittenShape<S>> => {
    checkOptions(op, options, ['stream'])
    return apply(op, [key], { shape: toShape(op, shape), stream: options.stream ?? 0 }, symbolsOf(shape))
  }

/**
 * f32 in [0, 1), evenly spread over multiples of 2⁻²⁴.
 * @throws random-uniform/key-is-two-words unless the key is u32[2]
 */
export const uniform = drawn<'f32'>('random-uniform')
/**
 * f32 of mean 0 and variance 1.
 * @throws random-normal/key-is-two-words unless the key is u32[2]
 */
export const normal = drawn<'f32'>('random-normal')
/**
 * Random u32 words.
 * @throws random-bits/key-is-two-words unless the key is u32[2]
 */
export const bits = drawn<'u32'>('random-bits')
