/** @file How many rows a run takes at a time: by the cache, by the weights, and by what the symbol's bounds permit. */
import { parseGraph, printIndex, verifyLowered } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { lowerProgram } from '../lower-program.ts'
import { wasmTarget } from '../target/wasm.ts'
import { webgpuTarget } from '../target/webgpu.ts'
import { asRegion, programOf } from '../testing/graphs.ts'

const rowsOf = (dims: string, body: string, kind = 'elementwise', target = wasmTarget()): string | undefined => {
  const lowered = lowerProgram(programOf(asRegion(parseGraph(`graph g<${dims}>${body}`), kind)), target, {
    rows: new Map([['main', 'n']]),
  })
  verifyLowered(lowered)
  const [plan] = lowered.plans
  return plan?.stream && printIndex(plan.stream.rows)
}
const map = (dim: string) => `(%x: f32[n,${dim}]) {
  %0 = sin(%x) : f32[n,${dim}]
  return y = %0
}`

test('as many rows as half of the second-level cache holds', () => {
  expect(rowsOf('n: 1..', map('1'))).toBe('131072')
  expect(rowsOf('n: 1..', map('64'))).toBe('2048')
})
test('rows of a symbolic length', () => {
  expect(rowsOf('n: 1.., m: 1..', map('m'))).toContain('m')
})
test('at least so many that a register tile is full', () => {
  expect(rowsOf('n: 1..', map('1000000'))).toBe('16')
})
test('so many that weights are a quarter of what a round moves', () => {
  // A megabyte of weights, and 2 KiB a row.
  const dense = `(%x: f32[n,256], %w: f32[256,1024]) {
    %0 = matmul(%x, %w) : f32[n,1024]
    %1 = reduce-max(%0, axes=[1]) : f32[n]
    return y = %1
  }`
  expect(Number(rowsOf('n: 1..', dense, 'contraction'))).toBeGreaterThanOrEqual(4096 / 6)
})
test('a team has a cache for each member', () => {
  expect(rowsOf('n: 1..', map('64'), 'elementwise', wasmTarget({ threads: 16 }))).toBe('8192')
})
test('multiples stay multiples', () => {
  expect(Number(rowsOf('n: 3.. by 3', map('1000000')))).toBe(48)
})
test('not where everything fits, where the last round could be too short, and not on a GPU', () => {
  expect(rowsOf('n: 1..1000', map('1'))).toBeUndefined()
  expect(rowsOf('n: 2..', map('64'))).toBeUndefined()
  expect(rowsOf('n: 1..', map('64'), 'elementwise', webgpuTarget({}))).toBeUndefined()
})
