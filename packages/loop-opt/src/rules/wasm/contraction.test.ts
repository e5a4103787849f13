import { printKernel, verifyKernel } from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { legalise } from '../../legalise/legalise.ts'
import { wasmTarget } from '../../target/wasm.ts'
import { matmulRegion } from '../../testing/regions.ts'
import { outputsOf } from '../../testing/run.ts'
import { bestTile, contractionRule } from './contraction.ts'

const sizes: readonly (readonly [m: number | string, n: number, k: number])[] = [
  [13, 21, 9],
  [1, 40, 7],
  [2, 8, 5],
  [1, 512, 19],
  [2, 264, 16],
  [1, 256, 5],
  [33, 10, 6],
  ['m', 24, 8],
  ['m', 10, 3],
]

describe.each(sizes)('the rule for a contraction of %s × %s × %s', (m, n, k) => {
  test.each([true, false])('keeps the meaning; the right-hand side is constant: %s', constant => {
    const region = matmulRegion(m, n, k)
    for (const target of [wasmTarget(), wasmTarget({ relaxedSimd: true, threads: 2 })]) {
      const s = contractionRule({
        region,
        kind: 'contraction',
        target,
        permits: 'reassociates',
        constants: new Set(constant ? ['b'] : []),
      })
      if (s === undefined) {
        expect(m === 1 || m === 2).toBe(true)
        continue
      }
      expect(s.layouts.has('b')).toBe(constant)
      const kernel = legalise(s.kernel)
      verifyKernel(kernel)
      for (const size of typeof m === 'string' ? [1, 2, 7] : [0]) {
        const symbols = typeof m === 'string' ? { [m]: size } : {}
        expect(outputsOf(kernel, symbols, { layouts: s.layouts, original: region.kernel })).toEqual(
          outputsOf(region.kernel, symbols),
        )
      }
      if (target.features.relaxedSimd && constant) expect(printKernel(kernel)).toContain('madd!')
    }
  })
})

test('tiles fit the registers, and follow the shape', () => {
  const { core, registers } = wasmTarget()
  if (core === undefined) throw new Error('a CPU has a core')
  const question = { typicalRows: 64, typicalColumns: 512, lanes: 4, registers, core, madd: false, wide: true }
  expect(bestTile({ ...question, rows: 512, columns: 512 })).toEqual({ mr: 2, nr: 16 })
  expect(bestTile({ ...question, rows: 512, columns: 512, wide: false })).toEqual({ mr: 4, nr: 8 })
  expect(bestTile({ ...question, rows: 512, columns: 512, madd: true })).toEqual({ mr: 6, nr: 8 })
  expect(bestTile({ ...question, rows: undefined, columns: 512 })).toEqual({ mr: 2, nr: 16 })
  expect(bestTile({ ...question, rows: 1, columns: 512 })).toEqual({ mr: 1, nr: 32 })
})

test.each([
  [512, 512],
  [128, 1536],
  ['m', 512],
  [1, 512],
] as const)('fused products of %s × %s want weights packed as plain ones do', (m, n) => {
  const layoutOf = (relaxedSimd: boolean) =>
    contractionRule({
      region: matmulRegion(m, n, 64),
      kind: 'contraction',
      target: wasmTarget({ relaxedSimd }),
      permits: 'reassociates',
      constants: new Set(['b']),
    })?.layouts.get('b')
  expect(layoutOf(true)).toBeDefined()
  expect(layoutOf(true)).toEqual(layoutOf(false))
})
