import { parseKernel, printKernel } from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { legalise } from '../legalise/legalise.ts'
import { blockSum } from '../schedule/primitives/block-sum.ts'
import { type Schedule, scheduleOf } from '../schedule/schedule.ts'
import { outputsOf } from '../testing/run.ts'
import { shortenSums } from './shorten-sums.ts'

const total = (length: number): Schedule =>
  scheduleOf(
    parseKernel(`kernel f(read x: f32[${length}], write y: f32[]) {
      alloc private acc: f32[]
      store acc[] = 0.0
      for k < ${length} { accumulate acc[] sum= x[k] }
      store y[] = acc[]
    }`),
  )
/** Small integers, whose sums are exact in every order. */
const same = (s: Schedule, t: Schedule): void => {
  expect(t.trace.length).toBeGreaterThan(s.trace.length)
  expect(outputsOf(legalise(t.kernel), {})).toEqual(outputsOf(s.kernel, {}))
}

describe('blockSum', () => {
  test('the picture', () => {
    expect(`\n${printKernel(blockSum(total(10), 'k', 4).kernel)}`).toContain(`
  for k_o < 3 {
    alloc register acc_block: f32[]
    store acc_block[] = 0.0
    for k_i < min(-4*k_o + 10, 4) {
      accumulate acc_block[] sum= x[k_i + 4*k_o]
    }
    accumulate acc[] sum= acc_block[]
  }
`)
  })
  test.each([
    ['not-a-sum', 'for k < 9 { accumulate acc[] max= x[k] }'],
    ['not-a-sum', 'for k < 9 { accumulate acc[] sum= x[k]\n store y[] = acc[] }'],
    ['not-a-sum', 'for k < 9 { store y[] = x[k] }'],
    ['bad-length', 'for k < 9 { accumulate acc[] sum= x[k] }'],
  ])('refuses: %s', (reason, body) => {
    const s = scheduleOf(
      parseKernel(`kernel f(read x: f32[9], write y: f32[]) {
        alloc private acc: f32[]
        store acc[] = 0.0
        ${body}
      }`),
    )
    expect(() => blockSum(s, 'k', reason === 'bad-length' ? 0 : 4)).toThrow(`schedule/blockSum-${reason}`)
  })
})

describe('shortenSums', () => {
  test.each([1025, 4096, 65_537, 70_001])('keeps the sum of %i terms', length => {
    same(total(length), shortenSums(total(length)))
  })
  test('over two axes, into elements that axes inside choose', () => {
    const s = scheduleOf(
      parseKernel(`kernel f(read x: f32[70,31,4], write y: f32[4]) {
        alloc register acc: f32[4]
        for i < 4 { store acc[i] = 0.0 }
        for k < 70 { for l < 31 { for vector j < 4 { accumulate acc[j] sum= x[k, l, j] } } }
        for o < 4 { store y[o] = acc[o] }
      }`),
    )
    same(s, shortenSums(s))
  })
  test('leaves short sums and sums of integers as they are, and its own', () => {
    expect(shortenSums(total(1024)).trace).toEqual([])
    const once = shortenSums(total(5000))
    expect(shortenSums(once)).toBe(once)
    const integers = scheduleOf(
      parseKernel(`kernel f(read x: i32[5000], write y: i32[]) {
        alloc private acc: i32[]
        store acc[] = 0
        for k < 5000 { accumulate acc[] sum= x[k] }
        store y[] = acc[]
      }`),
    )
    expect(shortenSums(integers).trace).toEqual([])
  })
})
