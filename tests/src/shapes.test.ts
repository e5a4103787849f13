/** @file Sizes as data give the numbers that they should at any size, though nothing is left of their arithmetic. */
import { jit } from '@quern/jit'
import { expect, it } from 'vitest'
import shapes from '../fixtures/shapes/shapes.model.ts'

it('counts, positions and means follow the dim', async () => {
  const loaded = await jit(shapes, { device: 'wasm', thread: 'caller' })
  try {
    for (const n of [1, 2, 3, 8, 65]) {
      // Row i holds i in each of its eight columns.
      const x = Float32Array.from({ length: n * 8 }, (_, at) => Math.floor(at / 8))
      const { byRow, all, middle, counts } = await loaded.run({ x })
      expect([...byRow.data]).toEqual(Array.from({ length: n }, (_, i) => i))
      expect(all.data[0]).toBeCloseTo((n - 1) / 2, 5)
      expect([...middle.data]).toEqual(Array(8).fill(Math.floor((n - 1) / 2)))
      expect([...counts.data]).toEqual([n, 8 * n, 17])
    }
  } finally {
    await loaded.dispose()
  }
})
