/** @file The micro-kernel of a matrix product comes out of a schedule: twelve tiles, all right, each its own code. */
import { type Layout, GraphBuilder, applyLayout, expandKernel, ix, tensorType, verifyKernel } from '@quern/core-ir'
import {
  type GemmTile,
  type Schedule,
  gemm,
  legalise,
  lowerProgram,
  parseTrace,
  printTrace,
  replay,
  wasmTarget,
} from '@quern/loop-opt'
import { describe, expect, test } from 'vitest'
import { instantiate, programOf } from '../test-support/run-kernel.ts'
import { emitWasm } from './emit-wasm.ts'

const [m, n, k] = [23, 37, 19]

const region = (() => {
  const b = new GraphBuilder('product')
  const y = b.one('matmul', [b.input('a', tensorType('f32', [m, k])), b.input('b', tensorType('f32', [k, n]))])
  const program = { name: 'product', entries: new Map([['main', b.finish({ y })]]), states: [], sources: new Map() }
  const [only] = lowerProgram(program, wasmTarget()).unscheduled.values()
  if (only === undefined) throw new Error('a matmul lowers to one kernel')
  return only.region
})()

const tiles: readonly GemmTile[] = [
  { mr: 2, nr: 4, pack: 'layout' },
  { mr: 2, nr: 16, pack: 'layout' },
  { mr: 3, nr: 8, pack: 'layout' },
  { mr: 3, nr: 12, pack: 'panel' },
  { mr: 4, nr: 8, pack: 'layout' },
  { mr: 4, nr: 8, kb: 8, pack: 'layout' },
  { mr: 4, nr: 12, pack: 'none' },
  { mr: 5, nr: 4, kb: 4, pack: 'panel' },
  { mr: 5, nr: 8, pack: 'panel' },
  { mr: 6, nr: 4, kb: 16, pack: 'layout' },
  { mr: 6, nr: 8, pack: 'layout', madd: true },
  { mr: 2, nr: 16, kb: 5, pack: 'none' },
  { mr: 3, nr: 8, pack: 'panel', group: 4, block: 2 },
  { mr: 2, nr: 8, pack: 'layout', group: 2, block: 3 },
]

const a = Float32Array.from({ length: m * k }, (_, i) => ((i * 7919) % 13) - 6)
const b = Float32Array.from({ length: k * n }, (_, i) => ((i * 104729) % 17) - 8)
const expected = Float32Array.from({ length: m * n }, (_, at) => {
  let sum = 0
  for (let p = 0; p < k; p++) sum += (a[Math.floor(at / n) * k + p] ?? 0) * (b[p * n + (at % n)] ?? 0)
  return sum
})

/** A [k, n] matrix in a layout, padded with zeros. */
const packed = (data: Float32Array, layout: Layout | undefined): Float32Array => {
  if (layout === undefined) return data
  const extents = layout.shape.map(e => ix.evaluateIndex(e, new Map()))
  const out = new Float32Array(extents.reduce((x, y) => x * y, 1))
  data.forEach((value, i) => {
    const at = applyLayout(
      layout,
      [Math.floor(i / n), i % n].map(x => ix.constant(x)),
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

describe('a matrix product from a schedule', () => {
  test.each(tiles)('is right with $mr × $nr, K block $kb, $pack', async tile => {
    const s = gemm(region, tile, { permits: 'reassociates' })
    const again = replay(region, parseTrace(printTrace(s.trace)), { permits: 'reassociates' })
    const kernel = codeOf(again)
    const wasm = await instantiate(programOf(kernel))
    const [lhs, rhs, result] = kernel.params
    if (lhs === undefined || rhs === undefined || result === undefined) throw new Error('three params')
    const y = new Float32Array(m * n)
    wasm.run({ [lhs.name]: a, [rhs.name]: packed(b, s.layouts.get(rhs.name)), [result.name]: y })
    expect(y).toEqual(expected)
  })

  test('each tile has code of its own', () => {
    const codes = tiles.map(
      tile =>
        emitWasm(programOf(codeOf(gemm(region, tile, { permits: 'reassociates' }))), { threads: false, relaxed: false })
          .wat,
    )
    expect(new Set(codes).size).toBe(tiles.length)
  })

  test.each([
    [2, 16],
    [4, 8],
    [6, 8],
  ])('one k of a tile of %i × %i loads, splats, multiplies, adds and bumps two pointers', (mr, nr) => {
    const { wat } = emitWasm(programOf(codeOf(gemm(region, { mr, nr, pack: 'layout' }))), {
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
