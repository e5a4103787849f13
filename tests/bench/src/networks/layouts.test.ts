import { expect, test } from 'vitest'
import { permuted, toChannelsFirst, toChannelsLast } from './layouts.ts'
import { seeded, seededWeights } from './weights.ts'

test('permuted moves every element to where its permuted indices say', () => {
  const x = { shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i) }
  const y = permuted(x, [2, 0, 1])
  expect(y.shape).toEqual([4, 2, 3])
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 4; k++) expect(y.data[(k * 2 + i) * 3 + j]).toBe(x.data[(i * 3 + j) * 4 + k])
})

test('channels go last and come back', () => {
  const x = { shape: [1, 3, 5, 7], data: seeded('x', 105) }
  expect(toChannelsFirst(toChannelsLast(x))).toEqual(x)
})

test('a weight has the same numbers whatever stands beside it, within its range', () => {
  const w = { name: 'w', shape: [10, 10], scale: 0.5, mean: 2 }
  const alone = seededWeights([w])['w']
  expect(seededWeights([{ name: 'v', shape: [3], scale: 1 }, w])['w']).toEqual(alone)
  expect(Math.min(...(alone?.data ?? []))).toBeGreaterThanOrEqual(1.5)
  expect(Math.max(...(alone?.data ?? []))).toBeLessThan(2.5)
  expect(new Set(alone?.data).size).toBeGreaterThan(95)
})
