import { expect, test } from 'vitest'
import type { PageResult } from '../page/results.ts'
import { workloads } from '../workloads/index.ts'
import { readOptions } from './options.ts'
import { rowsOf, tableOf, troubles } from './table.ts'

const timed = (median: number) => ({ kind: 'timed', median, best: median, error: 1e-7 }) as const
const matmul = workloads.filter(w => w.name === 'matmul-512')
const result = (outcomes: PageResult['outcomes']): PageResult => ({
  workload: 'matmul-512',
  threads: 1,
  peak: 50e9,
  outcomes,
})

test('ratios are to the fastest peer that is right, and yardsticks do not compete', () => {
  const rows = rowsOf(
    matmul,
    [result({ quern: timed(10), ort: timed(15), tfjs: { kind: 'wrong', error: 0.5 }, jax: timed(20), hand: timed(8) })],
    1,
  )
  expect(rows[0]?.best).toEqual({ id: 'ort', ms: 15 })
  expect(rows[0]?.ratio).toBe(1.5)
  const [head = [], cells = []] = tableOf(rows, { 'matmul-512': 2 })
  const table = Object.fromEntries(head.map((h, i) => [h, cells[i]]))
  expect(table).toMatchObject({
    rate: '26.8 GFLOP/s',
    'of peak': '54 %',
    'tfjs (wasm)': 'wrong by 5.0e-1',
    'faster than the best peer': '1.50 ×',
    'of hand-written': '80 %',
  })
  expect(troubles(rows, new Map())).toEqual([expect.stringMatching(/^matmul 512³, 1 thread: tfjs \(wasm\) is wrong/)])
})

test('a model that does not compile is named with what the compiler said', () => {
  const rows = rowsOf(matmul, [result({ quern: { kind: 'failed', message: 'short' } })], 1)
  expect(rows[0]?.ratio).toBeUndefined()
  expect(troubles(rows, new Map([['matmul-512', 'what the compiler said']]))[0]).toContain('what the compiler said')
})

test('options choose groups, names and families, and only a complete run is kept', () => {
  const read = (...args: string[]) => {
    const options = readOptions(args)
    if (options === 'help') throw new Error('no help was asked for')
    return options
  }
  expect(read('--only', 'matmul,mlp').workloads.map(w => w.name)).toEqual([
    ...workloads.filter(w => w.group === 'matmul').map(w => w.name),
    'mlp',
  ])
  expect(read('--only', 'matmul').complete).toBe(false)
  expect(read('--rounds', '5').complete).toBe(false)
  expect(read('--threads', '1').complete).toBe(false)
  expect(read('--production')).toMatchObject({ workloads: [], production: true, complete: false })
  expect(read()).toMatchObject({ complete: true, production: true, rounds: 20 })
  expect(() => read('--only', 'mathmul')).toThrow('there is no workload mathmul')
  expect(() => read('--rounds', 'x')).toThrow('whole numbers')
  expect(() => read('--peers', 'torch')).toThrow('there is no peer torch')
})
