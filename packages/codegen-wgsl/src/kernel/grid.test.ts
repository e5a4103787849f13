/** @file Dispatches: within what a device allows in each dimension, and each workgroup of the grid once. */
import { type Index, ix, parseKernel } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultLimits, emitKernel } from './emit-kernel.ts'
import { dims, dispatchOf, gridOf } from './grid.ts'

/** A kernel over workgroups of up to three dims, as many as three symbols say. */
const kernelOf = (rank: number, max = '') => {
  const axes = dims.slice(0, rank)
  const nest = [...axes]
    .reverse()
    .reduce((body, d) => `for workgroup.${d} g${d} < n${d} { ${body} }`, 'store y[0] = 1.0')
  return parseKernel(`kernel k<${axes.map(d => `n${d}: 1..${max}`).join(', ')}>(write y: f32[1]) { ${nest} }`)
}
const valuesOf = (extents: readonly number[]): ReadonlyMap<string, number> =>
  new Map(dims.map((d, i) => [`n${d}`, extents[i] ?? 1]))
const at = (counts: readonly Index[], values: ReadonlyMap<string, number>): number[] =>
  counts.map(c => ix.evaluateIndex(c, values))

describe('a dispatch', () => {
  test('is within the limit of each dimension, and its rows hold every workgroup', () => {
    const drawn = fc.tuple(
      fc.integer({ min: 2, max: 9 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
    )
    fc.assert(
      fc.property(drawn, ([limit, extents]) => {
        const total = extents.reduce((a, b) => a * b, 1)
        // More than this no device runs in two dimensions.
        fc.pre(total <= limit * limit)
        const grid = gridOf(kernelOf(extents.length), { ...defaultLimits, maxComputeWorkgroupsPerDimension: limit })
        const [x = 0, y = 0, z = 0] = at(dispatchOf(grid), valuesOf(extents))
        expect(Math.max(x, y, z)).toBeLessThanOrEqual(limit)
        expect(grid.rows?.length).toBe(limit)
        expect(z).toBe(1)
        // The place in the sequence is x + length · y.
        const places = Array.from({ length: x * y }, (_, i) => (i % x) + limit * Math.floor(i / x))
        expect(places.filter(p => p < total).sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i))
      }),
      { numRuns: 200 },
    )
  })

  test.each([
    [[65_535], [65_535, 1, 1]],
    [[65_536], [65_535, 2, 1]],
    [[200_000], [65_535, 4, 1]],
    [
      [300, 300, 3],
      [65_535, 5, 1],
    ],
    [
      [2, 1_000_000],
      [65_535, 31, 1],
    ],
  ])('%j workgroups are dispatched as %j', (extents, wanted) => {
    const { workgroups } = emitKernel(kernelOf(extents.length), { f16: false, limits: defaultLimits, index: 0 })
    expect(at(workgroups, valuesOf(extents))).toEqual(wanted)
  })

  test('keeps its dimensions where each is known to fit', () => {
    const { workgroups } = emitKernel(kernelOf(3, '65535'), { f16: false, limits: defaultLimits, index: 0 })
    expect(at(workgroups, valuesOf([300, 300, 3]))).toEqual([300, 300, 3])
  })
})
