/** @file Running sums and scatters: along the last dim and others, in the order in which they are written. */
import { type DType } from '@quern/artifact'
import { type GraphBuilder, type Value, tensorType } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { webgpuTarget } from '@quern/loop-opt'
import { type Make, type Sizes, expectEverywhere, graphOf, lowered, m, n, textOf } from './everywhere.ts'

type Dims = Parameters<typeof tensorType>[1]
const input = (b: GraphBuilder, name: string, dtype: DType, shape: Dims): Value =>
  b.input(name, tensorType(dtype, shape))

const sizes: readonly Sizes[] = [0, 1, 3, 4, 9, 33].map(v => ({ n: v, m: v + 2 }))
const vector = /for vector/

describe('running sums', () => {
  const cumsum =
    (shape: Dims, axis: number, attrs: Record<string, boolean> = {}, dtype: DType = 'f32'): Make =>
    b =>
      b.one('cumsum', [input(b, 'x', dtype, shape)], { axis, ...attrs })
  it.each<[string, Make, RegExp?]>([
    ['along rows', cumsum([n, 37], 1), /alloc register total: f32\[4\]/],
    ['along columns', cumsum([n, 37], 0), vector],
    ['along wide columns', cumsum([5, 301], 0), /alloc private total: f32\[256\]/],
    ['along symbolic columns', cumsum([5, n], 0), vector],
    ['along the middle', cumsum([2, n, 9], 1), vector],
    ['of n × m', cumsum([n, m], 1)],
    ['of one row', cumsum([n], 0)],
    ['of a long row', cumsum([2, 3001], 1)],
    ['exclusive, from the end', cumsum([n, 37], 1, { exclusive: true, reverse: true })],
    ['exclusive, of columns from the end', cumsum([9, 20], 0, { exclusive: true, reverse: true }), vector],
    ['of whole numbers', cumsum([n, 21], 1, {}, 'i32')],
    ['of bytes along columns', cumsum([n, 21], 0, {}, 'u8')],
  ])(
    '%s',
    async (_, make, pattern) => {
      const graph = graphOf(make)
      const symbolic = graph.inputs.some(i => i.value.type.shape.some(d => d.kind !== 'const'))
      const found = await expectEverywhere(graph, { sizes: symbolic ? sizes : [{}] })
      if (pattern !== undefined) expect(found.wasm).toMatch(pattern)
    },
    60_000,
  )
  it('are shared by the threads of a workgroup where the order may change', () => {
    const graph = graphOf(cumsum([2, 3001], 1))
    const named = (numerics: 'reassociates' | 'exact'): string => textOf(lowered(graph, webgpuTarget(), { numerics }))
    expect(named('reassociates')).toMatch(/kernel cumsum_grid/)
    expect(named('exact')).toMatch(/kernel cumsum\(/)
  })
})

describe('scatters', () => {
  it.each(['none', 'add', 'max'] as const)(
    'rows: %s',
    async reduction => {
      const make: Make = b =>
        b.one(
          'scatter-rows',
          [input(b, 'x', 'f32', [6, 21]), input(b, 'i', 'i32', [n]), input(b, 'u', 'f32', [n, 21])],
          { axis: 0, reduction },
        )
      const found = await expectEverywhere(graphOf(make), { sizes })
      expect(found.wasm.match(/for vector/g)?.length).toBe(2)
    },
    60_000,
  )
  it.each(['none', 'add'] as const)(
    'elements: %s',
    async reduction => {
      const make: Make = b =>
        b.one(
          'scatter',
          [input(b, 'x', 'f32', [6, 21]), input(b, 'i', 'i32', [n, 21]), input(b, 'u', 'f32', [n, 21])],
          { axis: 0, reduction },
        )
      await expectEverywhere(graphOf(make), { sizes })
    },
    60_000,
  )
})
