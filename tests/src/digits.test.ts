/** @file The digit classifier, from its model file to 985 of 1,000 right. */
import { jit } from '@quern/jit'
import digits from '@quern/playground/src/models/digits.model.ts'
import { describe, expect, it } from 'vitest'
import { countRight, testDigits } from './test-digits.ts'

const { images, labels } = testDigits()

describe('digits, compiled in process', () => {
  it('wasm: 985 of 1,000 right, in one run and one by one', async () => {
    const net = await jit(digits, { device: 'wasm', thread: 'caller' })
    const { probs } = await net.run({ image: images })
    expect(net.report().device).toBe('wasm')
    expect(probs.shape).toEqual([1000, 10])
    expect(countRight(probs.data, labels)).toBe(985)
    for (const row of [0, 1, 499, 999]) {
      const one = await net.run({ image: images.slice(row * 784, (row + 1) * 784) })
      for (let c = 0; c < 10; c++) expect(one.probs.data[c]).toBeCloseTo(probs.data[row * 10 + c] ?? NaN, 5)
    }
    await net.dispose()
  })
})
