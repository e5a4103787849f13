/** @file Sorting by every algorithm that an op offers: ties, NaN, both zeros, and where each element stood. */
import type { DType } from '@quern/artifact'
import { type GraphBuilder, tensorType } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { type Make, type Sizes, expectEverywhere, graphOf, n } from './everywhere.ts'

type Dims = Parameters<typeof tensorType>[1]
const sort =
  (dtype: DType, shape: Dims, axis: number, attrs: Record<string, boolean | string> = {}): Make =>
  (b: GraphBuilder) =>
    b.add('sort', [b.input('x', tensorType(dtype, shape))], { axis, ...attrs })
const sizes: readonly Sizes[] = [0, 1, 2, 7, 33, 300].map(v => ({ n: v, m: v }))

describe('sort', () => {
  it.each<[string, Make, 'radix' | 'network']>([
    ['rows', sort('f32', [3, 70], 1), 'radix'],
    ['short rows', sort('f32', [3, 13], 1), 'network'],
    ['columns, descending', sort('f32', [77, 3], 0, { descending: true }), 'radix'],
    ['a symbolic row', sort('f32', [n], 0), 'radix'],
    ['many rows', sort('f32', [n, 65], 1, { descending: true }), 'radix'],
    ['a long row of whole numbers', sort('i32', [16_500], 0), 'radix'],
    ['unsigned ones', sort('u32', [2, 100], 1), 'radix'],
    ['bytes', sort('i8', [2, 100], 1, { descending: true }), 'radix'],
    ['unsigned bytes', sort('u8', [2, 100], 1), 'radix'],
  ])(
    '%s',
    async (_, make, algorithm) => {
      const graph = graphOf(make)
      const symbolic = graph.inputs.some(i => i.value.type.shape.some(d => d.kind !== 'const'))
      const found = await expectEverywhere(graph, {
        sizes: symbolic ? sizes : [{}],
        filling: { x: { below: 120, special: true } },
      })
      expect(found.webgpu).toMatch(algorithm === 'radix' ? /kernel sort_grid/ : /kernel sort\(/)
      expect(found.wasm).toMatch(algorithm === 'radix' ? /kernel sort_radix/ : /kernel sort\(/)
    },
    120_000,
  )
  it.each<[string, Make]>([
    ['f64', sort('f64', [2, 90], 1, { dtype: 'i64' })],
    ['i64', sort('i64', [2, 90], 1)],
    ['f16', sort('f16', [2, 90], 1)],
  ])('%s', async (_, make) => {
    await expectEverywhere(graphOf(make), { filling: { x: { special: true } }, webgpu: false })
  })
})

describe('the first few', () => {
  const first =
    (dtype: DType, shape: Dims, count: number, descending: boolean): Make =>
    (b: GraphBuilder) =>
      b.add('sort-first', [b.input('x', tensorType(dtype, shape))], { count, axis: 1, descending })
  it.each<[string, Make, (readonly Sizes[])?]>([
    ['three of each', first('f32', [4, 50], 3, true)],
    ['all', first('f32', [2, 9], 9, false)],
    ['none', first('f32', [2, 9], 0, false)],
    ['the first', first('i32', [3, 700], 1, true)],
    ['of rows of any length', first('f32', [2, n], 5, true), [5, 6, 300].map(v => ({ n: v, m: v }))],
    ['forty of many', first('f32', [1, 1500], 40, true)],
  ])(
    '%s',
    async (_, make, at) => {
      const graph = graphOf(make, at === undefined ? 0 : 5)
      await expectEverywhere(graph, { ...(at && { sizes: at }), filling: { x: { below: 120, special: true } } })
    },
    120_000,
  )
  it('are what top-k picks', async () => {
    const make: Make = b => b.add('top-k', [b.input('x', tensorType('f32', [2, 200]))], { k: 4 })
    const found = await expectEverywhere(graphOf(make), { filling: { x: { below: 90, special: true } } })
    expect(found.wasm).toMatch(/kernel sort_first/)
  }, 60_000)
})
