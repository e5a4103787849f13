/** @file Products that read parts of something larger where they lie, on every executor. */
import { type Value, tensorType } from '@quern/core-ir'
import { expect, it } from 'vitest'
import { type Make, expectEverywhere, graphOf, m, n } from './everywhere.ts'

const heads = 3,
  each = 8

/** Queries, keys and values side by side: [n, 3 · heads, each], cut along the middle. */
const parts =
  (transposeRhs: boolean): Make =>
  b => {
    const x = b.input('x', tensorType('f32', [3 * heads, n, each]))
    const y = b.input('y', tensorType('f32', [3 * heads, transposeRhs ? m : each, transposeRhs ? each : m]))
    const cut = (from: Value, at: number): Value =>
      b.one('slice', [from], {
        starts: [at * heads, 0, 0],
        sizes: [heads, ...from.type.shape.slice(1)],
      })
    return b.one('matmul', [cut(x, 2), cut(y, 1)], { transposeRhs })
  }

it.each([false, true])('both sides of a product are cuts, transposed: %s', async transposed => {
  const { wasm, webgpu } = await expectEverywhere(graphOf(parts(transposed), 1), {
    sizes: [
      { n: 1, m: 5 },
      { n: 7, m: 16 },
      { n: 40, m: 33 },
    ],
  })
  // One kernel each: nothing is copied first.
  for (const text of [wasm, webgpu]) expect(text.match(/^kernel /gm)).toHaveLength(1)
})

it('columns of a wide row are the left-hand side, and the right', async () => {
  const make: Make = b => {
    const x = b.input('x', tensorType('f32', [n, 48]))
    const cut = (at: number): Value => b.one('slice', [x], { starts: [0, at], sizes: [n, 16] })
    return b.one('matmul', [cut(3), cut(29)], { transposeRhs: true })
  }
  await expectEverywhere(graphOf(make, 1), { sizes: [{ n: 1 }, { n: 6 }, { n: 35 }] })
})
