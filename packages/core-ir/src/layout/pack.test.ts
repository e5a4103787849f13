import fc from 'fast-check'
import { expect, test } from 'vitest'
import { add, constant, floorDiv, mod, mul } from '../index/index-expr.ts'
import { type Layout, logicalDim, rowMajor } from './layout.ts'
import { layoutSpan, packConstant, packingInto, unpackLayout } from './pack.ts'

const bytes = (data: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(data.buffer as ArrayBuffer)
const [d0, d1] = [logicalDim(0), logicalDim(1)]

test('a permuted, split and padded layout', () => {
  // [5, 6] → columns first, rows in panels of 4: [6 / 1, ceil(5/4), 4]
  const layout: Layout = { map: [d1, floorDiv(d0, 4), mod(d0, 4)], shape: [constant(6), constant(2), constant(4)] }
  const data = Float32Array.from({ length: 30 }, (_, i) => i + 1)
  const packed = new Float32Array(packConstant(bytes(data), 'f32', [5, 6], layout).buffer)
  expect(Array.from(packed.subarray(0, 16))).toEqual([1, 7, 13, 19, 25, 0, 0, 0, 2, 8, 14, 20, 26, 0, 0, 0])
  expect(unpackLayout(bytes(packed), 'f32', [5, 6], layout)).toEqual(bytes(data))
})

test('a capacity larger than the length is a stride', () => {
  const layout: Layout = { ...rowMajor([2, 3]), strides: [constant(5), constant(1)], offset: constant(2) }
  expect(layoutSpan(layout)).toBe(10)
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6)
  expect([...packConstant(data, 'u8', [2, 3], layout)]).toEqual([0, 0, 1, 2, 3, 0, 0, 4, 5, 6])
})

test('a layout that maps outside itself is refused', () => {
  const layout: Layout = { map: [add(d0, 1)], shape: [constant(4)] }
  expect(() => packConstant(new Uint8Array(16), 'f32', [4], layout)).toThrow(
    expect.objectContaining({ code: 'layout/outside' }),
  )
})

test('unpacking undoes packing: any permutation, split and dtype, separable or not', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('u8', 'f16', 'f32', 'i64' as const),
      fc.boolean(),
      fc.boolean(),
      (m, n, tile, dtype, swap, mixed) => {
        const size = { u8: 1, f16: 2, f32: 4, i64: 8 }[dtype]
        const tiles = Math.ceil(m / tile)
        const parts = [
          { map: floorDiv(d0, tile), extent: tiles },
          { map: mod(d0, tile), extent: tile },
          { map: d1, extent: n },
        ]
        const order = swap ? [2, 0, 1] : [0, 1, 2]
        const layout: Layout = mixed
          ? {
              map: [floorDiv(add(mul(d0, n), d1), tile), mod(add(mul(d0, n), d1), tile)],
              shape: [constant(Math.ceil((m * n) / tile)), constant(tile)],
            }
          : { map: order.map(i => parts[i]?.map ?? d0), shape: order.map(i => constant(parts[i]?.extent ?? 0)) }
        // One byte further, so that words are not aligned.
        const data = Uint8Array.from({ length: m * n * size + 1 }, (_, i) => (i * 37) % 256).subarray(1)
        const packed = packConstant(data, dtype, [m, n], layout)
        const kept = packed.reduce((s, x) => s + x, 0)
        expect(kept).toBe(data.reduce((s, x) => s + x, 0))
        expect([...unpackLayout(packed, dtype, [m, n], layout)]).toEqual([...data])
        // The same in pieces of one to three rows, as they arrive.
        const streamed = new Uint8Array(packed.length)
        const take = packingInto(streamed, dtype, [m, n], layout)
        for (let row = 0, step = 1; row < m; row += step, step = (step % 3) + 1)
          take(data.subarray(row * n * size, Math.min(row + step, m) * n * size))
        expect(streamed).toEqual(packed)
      },
    ),
  )
})

test.each<readonly [string, Layout, (i: number, j: number, k: number) => number]>([
  [
    'dims that change places',
    { map: [logicalDim(2), d0, d1], shape: [constant(4), constant(3), constant(5)] },
    (i, j, k) => (k * 3 + i) * 5 + j,
  ],
  [
    'a map that reads two dims at once',
    { map: [mod(add(d0, d1), 7), d0, logicalDim(2)], shape: [constant(7), constant(3), constant(4)] },
    (i, j, k) => (((i + j) % 7) * 3 + i) * 4 + k,
  ],
])('%s: every element of three dims has its place, whole and in pieces that end anywhere', (_, layout, placeOf) => {
  const shape = [3, 5, 4] as const
  const data = Uint8Array.from({ length: 60 }, (_, i) => i + 1)
  const wanted = new Uint8Array(layoutSpan(layout))
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 5; j++) for (let k = 0; k < 4; k++) wanted[placeOf(i, j, k)] = (i * 5 + j) * 4 + k + 1
  const packed = packConstant(data, 'u8', shape, layout)
  expect([...packed]).toEqual([...wanted])
  expect([...unpackLayout(packed, 'u8', shape, layout)]).toEqual([...data])
  for (const rows of [1, 2, 4, 7, 15]) {
    const streamed = new Uint8Array(wanted.length)
    const take = packingInto(streamed, 'u8', shape, layout)
    for (let row = 0; row < 15; row += rows) take(data.subarray(row * 4, Math.min(row + rows, 15) * 4))
    expect([...streamed]).toEqual([...wanted])
  }
})

test('packing ten megabytes is quick', () => {
  const layout: Layout = { map: [floorDiv(d1, 8), d0, mod(d1, 8)], shape: [constant(200), constant(1600), constant(8)] }
  const start = performance.now()
  packConstant(new Uint8Array(1600 * 1600 * 4), 'f32', [1600, 1600], layout)
  expect(performance.now() - start).toBeLessThan(1000)
})
