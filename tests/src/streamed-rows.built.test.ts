/** @file A run in rounds gives what a run of the parts gives: on the caller's thread, in a worker and with a team, at sizes around a round. */
import { jit } from '@quern/jit'
import { add, dim, matmul, model, mul, nn, tensor } from '@quern/model'
import { describe, expect, it } from 'vitest'

const width = 700
const wave = (length: number, step: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * step) * 2)

/** Weights that come at run time have no rows, and are whole in every round. */
const rows = model(
  { x: tensor('f32', [dim('n'), width]), w: tensor('f32', [width, 3]), scale: tensor('f32', [width]) },
  ({ x, w, scale }) => {
    const scaled = mul(x, scale)
    return { scores: nn.softmax(matmul(scaled, w)), scaled: add(scaled, 1) }
  },
)

describe('rows in rounds', () => {
  it.each([
    ['the caller', { thread: 'caller' }],
    ['a worker', { thread: 'worker', threads: 1 }],
    ['a team', { thread: 'worker', threads: 2 }],
  ] as const)('on %s', { timeout: 60_000 }, async (_, load) => {
    const net = await jit(rows, { ...load, device: 'wasm' })
    const w = wave(width * 3, 0.7),
      scale = wave(width, 0.3)
    const most = 2000
    const x = wave(most * width, 0.013)
    const single = []
    for (let i = 0; i < most; i += 7) {
      const { scores, scaled } = await net.run({ x: x.subarray(i * width, (i + 1) * width), w, scale })
      single.push({ i, scores: scores.data, scaled: scaled.data })
    }
    const arenaOfOne = net.report().bytes.arena
    for (const n of [1, 15, 16, 17, 383, 384, 385, most]) {
      const { scores, scaled } = await net.run({ x: x.subarray(0, n * width), w, scale })
      expect([scores.shape, scaled.shape]).toEqual([
        [n, 3],
        [n, width],
      ])
      for (const one of single.filter(s => s.i < n)) {
        expect(scaled.data.subarray(one.i * width, (one.i + 1) * width)).toEqual(one.scaled)
        scores.data.subarray(one.i * 3, one.i * 3 + 3).forEach((v, k) => expect(v).toBeCloseTo(one.scores[k] ?? NaN, 5))
      }
    }
    // 2,000 rows at once would take 11 MB.
    expect(arenaOfOne).toBeLessThan(8e6)
    expect(net.report().bytes.arena).toBeLessThan(8e6)
    await net.dispose()
  })
})
