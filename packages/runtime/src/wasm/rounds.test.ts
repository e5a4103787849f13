import { expect, test } from 'vitest'
import { hasRows, partOf, roundsOf } from './rounds.ts'

const entry = { export: 'main', buffers: [], arenaBytes: 0, parallel: false }
const cut = { ...entry, stream: { symbol: 'n', rows: ['/', 64, 'm'] } } as const

test('rounds of so many rows, and a last one of the rest', () => {
  const rounds = roundsOf(cut, { n: 35, m: 4 })
  expect(rounds.map(r => [r.symbols, r.from, r.count])).toEqual([
    [{ n: 16, m: 4 }, 0, 16],
    [{ n: 16, m: 4 }, 16, 16],
    [{ n: 3, m: 4 }, 32, 3],
  ])
  const data = Float32Array.from({ length: 70 }, (_, i) => i)
  expect(rounds.map(r => [...partOf(data, r)].length)).toEqual([32, 32, 6])
  expect(rounds.flatMap(r => [...partOf(data, r)])).toEqual([...data])
})
test('few rows, or a plan that is not cut, are one round', () => {
  expect(roundsOf(cut, { n: 16, m: 4 })).toHaveLength(1)
  expect(roundsOf(entry, { n: 1000 })).toHaveLength(1)
  const [only] = roundsOf(entry, { n: 1000 })
  const data = new Uint8Array(7)
  expect(only && partOf(data, only)).toHaveLength(7)
})
test('only what has the dim first is cut', () => {
  const port = (shape: readonly (number | string)[]) => ({ name: 'x', dtype: 'f32' as const, shape, buffer: 0 })
  expect([hasRows(port(['n', 2]), cut), hasRows(port([2]), cut), hasRows(port([]), entry)]).toEqual([
    true,
    false,
    false,
  ])
})
