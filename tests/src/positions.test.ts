/** @file Where the largest and the smallest stand: ties, NaN and both zeros, in every order in which schedules look. */
import { type DType } from '@quern/artifact'
import { type GraphBuilder, type Value, tensorType } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { type Make, type Sizes, expectEverywhere, graphOf, m, n } from './everywhere.ts'

type Dims = Parameters<typeof tensorType>[1]
const x = (b: GraphBuilder, dtype: DType, shape: Dims): Value => b.input('x', tensorType(dtype, shape))
const both =
  (dtype: DType, shape: Dims, axis: number, positions: 'i32' | 'i64' = 'i32'): Make =>
  b => {
    const v = x(b, dtype, shape)
    return (['argmax', 'argmin'] as const).map(op => b.one(op, [v], { axis, dtype: positions }))
  }

const sizes: readonly Sizes[] = [0, 1, 3, 4, 7, 33].map(v => ({ n: v, m: v + 2 }))
const vector = /for vector/,
  shared = /alloc shared/

describe('positions of extremes', () => {
  it.each<[string, Make, { wasm?: RegExp; webgpu?: RegExp }]>([
    ['along rows', both('f32', [n, 37], 1), { wasm: vector, webgpu: shared }],
    ['along columns', both('f32', [37, n], 0), { wasm: vector }],
    ['along columns, written down', both('f32', [13, 53], 0), { wasm: vector }],
    ['along a symbolic row', both('f32', [3, n], 1), { wasm: vector, webgpu: shared }],
    ['of one long row', both('f32', [3001], 0), { wasm: vector, webgpu: shared }],
    ['along the middle', both('f32', [2, n, 5], 1), {}],
    ['of n × m', both('f32', [n, m], 1), { wasm: vector }],
    ['of whole numbers', both('i32', [5, 37], 1), { wasm: vector, webgpu: shared }],
    ['of bytes', both('u8', [5, 37], 1), { wasm: vector }],
    [
      'of what was computed',
      b => b.one('argmax', [b.one('neg', [x(b, 'f32', [n, 37])])], { axis: 1 }),
      { wasm: vector },
    ],
  ])(
    '%s',
    async (_, make, expected) => {
      const graph = graphOf(make)
      const symbolic = graph.inputs.some(i => i.value.type.shape.some(d => d.kind !== 'const'))
      const found = await expectEverywhere(graph, {
        sizes: symbolic ? sizes : [{}],
        filling: { x: { below: 6, special: true } },
      })
      if (expected.wasm !== undefined) expect(found.wasm).toMatch(expected.wasm)
      if (expected.webgpu !== undefined) expect(found.webgpu).toMatch(expected.webgpu)
    },
    60_000,
  )

  it.each<[string, Make]>([
    ['of f64', both('f64', [n, 19], 1)],
    ['of i64, as i64', both('i64', [n, 19], 1, 'i64')],
  ])('%s', async (_, make) => {
    const found = await expectEverywhere(graphOf(make), { sizes, filling: { x: { special: true } }, webgpu: false })
    expect(found.wasm).toMatch(vector)
  })
})

describe('reductions of what is not f32', () => {
  it.each<[string, Make]>([
    ['sum of i32', b => b.one('reduce-sum', [x(b, 'i32', [n, 37])], { axes: [1] })],
    ['largest u8', b => b.one('reduce-max', [x(b, 'u8', [n, 37])], { axes: [1] })],
    ['sum of i8 columns', b => b.one('reduce-sum', [x(b, 'i8', [37, 12])], { axes: [0] })],
    ['any of rows', b => b.one('reduce-any', [x(b, 'bool', [n, 37])], { axes: [1] })],
    ['all of columns', b => b.one('reduce-all', [x(b, 'bool', [3, 12])], { axes: [0] })],
    ['any of everything', b => b.one('reduce-any', [x(b, 'bool', [n, 37])], { axes: [0, 1] })],
  ])(
    '%s',
    async (_, make) => {
      const found = await expectEverywhere(graphOf(make), { sizes })
      expect(found.wasm).toMatch(vector)
    },
    60_000,
  )
})
