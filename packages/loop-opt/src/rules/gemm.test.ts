import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Kernel, printKernel } from '@quern/core-ir'
import { legalise } from '../legalise/legalise.ts'
import { parseTrace, printTrace, replay } from '../schedule/trace.ts'
import { visitStmts } from '../schedule/tree.ts'
import { matmulRegion } from '../testing/regions.ts'
import { type Symbols, outputsOf } from '../testing/run.ts'
import { type GemmTile, gemm } from './gemm.ts'

const tiles: readonly GemmTile[] = [
  { mr: 2, nr: 16, pack: 'layout' },
  { mr: 4, nr: 8, pack: 'layout' },
  { mr: 6, nr: 8, pack: 'layout' },
  { mr: 3, nr: 12, pack: 'panel' },
  { mr: 5, nr: 4, pack: 'panel' },
  { mr: 2, nr: 4, pack: 'none' },
  { mr: 4, nr: 8, kb: 4, pack: 'layout' },
  { mr: 2, nr: 16, kb: 8, pack: 'panel' },
  { mr: 3, nr: 4, kb: 3, pack: 'layout' },
  { mr: 6, nr: 4, kb: 5, pack: 'none' },
  { mr: 5, nr: 12, pack: 'layout', parallel: true },
  { mr: 4, nr: 16, kb: 16, pack: 'panel', parallel: true },
  { mr: 1, nr: 16, pack: 'layout', stream: 4 },
  { mr: 2, nr: 8, pack: 'layout', stream: 4, group: 2, block: 2 },
  { mr: 2, nr: 4, pack: 'layout', group: 2, block: 2 },
  { mr: 3, nr: 4, pack: 'panel', group: 3, block: 2 },
  { mr: 2, nr: 8, pack: 'none', group: 2, block: 3 },
  { mr: 4, nr: 4, pack: 'panel', group: 2, block: 1, parallel: true },
]

const same = (
  m: number | string,
  n: number | string,
  k: number | string,
  tile: GemmTile,
  symbols: Symbols = {},
): Kernel => {
  const region = matmulRegion(m, n, k)
  const s = gemm(region, tile)
  const kernel = legalise(s.kernel)
  const expected = outputsOf(region.kernel, symbols)
  expect(outputsOf(s.kernel, symbols, { layouts: s.layouts, original: region.kernel })).toEqual(expected)
  expect(outputsOf(kernel, symbols, { layouts: s.layouts, original: region.kernel })).toEqual(expected)
  return kernel
}

describe('gemm', () => {
  test.each(tiles)(
    'keeps the meaning and replays with $mr × $nr, K block $kb, $pack, streams of $stream, groups of $group, blocks of $block',
    tile => {
      const region = matmulRegion(13, 21, 11)
      same(13, 21, 11, tile)
      const s = gemm(region, tile)
      const again = replay(region, parseTrace(printTrace(s.trace)))
      expect(printKernel(again.kernel)).toBe(printKernel(s.kernel))
    },
  )

  test.each(tiles)(
    'runs any size with $mr × $nr, K block $kb, $pack, streams of $stream, groups of $group, blocks of $block',
    tile => {
      for (const [m, n, k] of [
        [1, 1, 1],
        [2, 16, 4],
        [7, 9, 5],
        [12, 24, 17],
      ] as const)
        same('m', 'n', 'k', tile, { m, n, k })
    },
  )

  test('keeps the meaning for random sizes and tiles', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 14 }),
        fc.integer({ min: 1, max: 26 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 6 }),
        fc.constantFrom(4, 8, 12, 16),
        fc.option(fc.integer({ min: 2, max: 7 }), { nil: undefined }),
        fc.constantFrom('layout', 'panel', 'none'),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (m, n, k, mr, nr, kb, pack, group, block) => {
          same(m, n, k, { mr, nr, pack, group, block, ...(kb !== undefined && { kb }) })
        },
      ),
      { numRuns: 25 },
    )
  })

  test('has an inner loop of loads, splats and products only', () => {
    const kernel = same(8, 32, 9, { mr: 4, nr: 8, pack: 'layout' })
    let inner = 0
    visitStmts(kernel.body, s => {
      if (s.kind === 'for' && s.axis === 'acc_k') inner = s.body.length
    })
    expect(inner).toBeGreaterThan(0)
    expect(printKernel(kernel)).not.toMatch(/ if |unroll|\/\/|%/)
  })
})
