/** @file The micro-kernel of a matrix product comes out of a schedule: random tiles, all right, each its own code. */
import { type Layout, GraphBuilder, applyLayout, expandKernel, ix, tensorType, verifyKernel } from '@quern/core-ir'
import {
  type GemmTile,
  type LoweredRegion,
  type Schedule,
  gemm,
  legalise,
  lowerProgram,
  parseTrace,
  printTrace,
  replay,
  wasmTarget,
} from '@quern/loop-opt'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instantiate, programOf } from '../test-support/run-kernel.ts'
import { emitWasm } from './emit-wasm.ts'

type Shape = readonly [m: number, n: number, k: number]
const usual: Shape = [23, 37, 19]

const regionOf = ([m, n, k]: Shape): LoweredRegion => {
  const b = new GraphBuilder('product')
  const y = b.one('matmul', [b.input('a', tensorType('f32', [m, k])), b.input('b', tensorType('f32', [k, n]))])
  const program = { name: 'product', entries: new Map([['main', b.finish({ y })]]), states: [], sources: new Map() }
  const [only] = lowerProgram(program, wasmTarget()).unscheduled.values()
  if (only === undefined) throw new Error('a matmul lowers to one kernel')
  return only.region
}

/** Of what is drawn: a failure's name says it, and `QUERN_SEED=… vitest run src/gemm-tiles` draws the same again. */
const seed = Number(process.env['QUERN_SEED'] || Date.now() & 0x7fffffff)
const count = 14

const drawn = fc.record(
  {
    mr: fc.integer({ min: 2, max: 6 }),
    nr: fc.constantFrom(4, 8, 12, 16),
    kb: fc.integer({ min: 2, max: 16 }),
    pack: fc.constantFrom('layout', 'panel', 'none' as const),
    // Of what is packed at build only; all widths are made of such streams.
    stream: fc.constant(4),
    group: fc.integer({ min: 1, max: 4 }),
    block: fc.integer({ min: 1, max: 3 }),
    madd: fc.constant(true),
  },
  { requiredKeys: ['mr', 'nr', 'pack'] },
)
const [tiles = []] = fc.sample(
  fc.uniqueArray(drawn, {
    minLength: count,
    maxLength: count,
    selector: ({ mr, nr, kb, pack }) => [mr, nr, kb, pack].join(),
  }),
  { numRuns: 1, seed },
) as GemmTile[][]

const sizeUpTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 2, max })
/** One of a single row, one column or few steps, one that tiles divide, and others. A single step is no product but a map. */
const shapes: readonly Shape[] = [
  usual,
  [1, 20, 9],
  [12, 1, 7],
  [8, 16, 2],
  [24, 48, 32],
  ...fc.sample(fc.tuple(sizeUpTo(30), sizeUpTo(50), sizeUpTo(40)), { numRuns: 3, seed }),
]

const elements = (length: number, factor: number, among: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((i * factor) % among) - (among >> 1))

/** A matrix of so many columns in a layout, padded with zeros. */
const packed = (data: Float32Array, columns: number, layout: Layout | undefined): Float32Array => {
  if (layout === undefined) return data
  const extents = layout.shape.map(e => ix.evaluateIndex(e, new Map()))
  const out = new Float32Array(extents.reduce((x, y) => x * y, 1))
  data.forEach((value, i) => {
    const at = applyLayout(
      layout,
      [Math.floor(i / columns), i % columns].map(x => ix.constant(x)),
    ).map(x => ix.evaluateIndex(x, new Map()))
    out[at.reduce((flat, x, d) => flat * (extents[d] ?? 1) + x, 0)] = value
  })
  return out
}

const codeOf = (s: Schedule): ReturnType<typeof expandKernel> => {
  const kernel = expandKernel(legalise(s.kernel))
  verifyKernel(kernel)
  return kernel
}

const isRight = async (tile: GemmTile, shape: Shape): Promise<void> => {
  const [m, n, k] = shape
  const region = regionOf(shape)
  const s = gemm(region, tile, { permits: 'reassociates' })
  const again = replay(region, parseTrace(printTrace(s.trace)), { permits: 'reassociates' })
  const kernel = codeOf(again)
  const wasm = await instantiate(programOf(kernel))
  const [lhs, rhs, result] = kernel.params
  if (lhs === undefined || rhs === undefined || result === undefined) throw new Error('three params')
  const a = elements(m * k, 7919, 13),
    b = elements(k * n, 104729, 17),
    y = new Float32Array(m * n)
  // Where the result is one column, the side that a tile reads along it is the left one.
  wasm.run({
    [lhs.name]: packed(a, k, s.layouts.get(lhs.name)),
    [rhs.name]: packed(b, n, s.layouts.get(rhs.name)),
    [result.name]: y,
  })
  const expected = Float32Array.from({ length: m * n }, (_, at) => {
    let sum = 0
    for (let p = 0; p < k; p++) sum += (a[Math.floor(at / n) * k + p] ?? 0) * (b[p * n + (at % n)] ?? 0)
    return sum
  })
  expect(y, `${m} × ${n} × ${k}`).toEqual(expected)
}

describe('a matrix product from a schedule', () => {
  test.each(tiles.map((tile, i) => ({ ...tile, shapes: [usual, shapes[i % shapes.length] ?? usual] })))(
    `seed ${seed}: is right with %j`,
    async ({ shapes, ...tile }) => {
      for (const shape of new Set(shapes)) await isRight(tile, shape)
    },
  )

  test(`seed ${seed}: each of more than twelve tiles has code of its own`, () => {
    const region = regionOf(usual)
    const codes = tiles.map(
      tile =>
        emitWasm(programOf(codeOf(gemm(region, tile, { permits: 'reassociates' }))), { threads: false, relaxed: false })
          .wat,
    )
    expect(tiles.length).toBeGreaterThanOrEqual(12)
    expect(new Set(codes).size).toBe(tiles.length)
  })

  test.each([
    [2, 16],
    [4, 8],
    [6, 8],
  ])('one k of a tile of %i × %i loads, splats, multiplies, adds and bumps two pointers', (mr, nr) => {
    const { wat } = emitWasm(programOf(codeOf(gemm(regionOf(usual), { mr, nr, pack: 'layout' }))), {
      threads: false,
      relaxed: false,
    })
    // The first innermost loop that multiplies: the tile without a rest.
    const inner =
      wat
        .split('(loop ')
        .find(part => part.includes('f32x4.mul'))
        ?.split('br_if')[0] ?? ''
    const count = (text: RegExp): number => inner.match(text)?.length ?? 0
    expect(count(/\(v128\.load[ )]/g)).toBe(nr / 4)
    expect(count(/\(f32\.load|\(v128\.load32_splat/g)).toBe(mr)
    expect(count(/f32x4\.mul/g)).toBe((mr * nr) / 4)
    expect(count(/f32x4\.add/g)).toBe((mr * nr) / 4)
    expect(count(/i32\.(add|mul|shl)/g)).toBe(2)
  })
})
