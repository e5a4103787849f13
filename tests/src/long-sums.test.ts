/** @file Long float sums keep their digits, with every numerics, written-down and symbolic lengths, and over any dims. */
import type { Shape } from '@quern/artifact'
import { jit } from '@quern/jit'
import { dim, model, mul, sum, tensor } from '@quern/model'
import { describe, expect, it } from 'vitest'

const tenth = Math.fround(0.1)
const n = dim('n')

const sumOf = async (
  numerics: 'algebraic' | 'reproducible',
  shape: Shape,
  axes: readonly number[],
  given: readonly number[],
  square = false,
): Promise<Float32Array> => {
  const net = model({ x: tensor('f32', [...shape]) }, ({ x }) => ({
    y: sum(square ? mul(x, x) : x, { axes: [...axes] }),
  }))
  const loaded = await jit(net, { device: 'wasm', thread: 'caller', numerics })
  try {
    const data = new Float32Array(given.reduce((p, d) => p * d, 1)).fill(0.1)
    return (await loaded.run({ x: { data, shape: given } })).y.data as Float32Array
  } finally {
    await loaded.dispose()
  }
}

describe.each(['algebraic', 'reproducible'] as const)('%s', numerics => {
  const expectSums = (found: Float32Array, terms: number, term = tenth): void => {
    expect(found.length).toBeGreaterThan(0)
    for (const y of found) expect(Math.abs(y / (terms * term) - 1)).toBeLessThan(1e-5)
  }
  it('the sum of 2^25 elements', async () => {
    expectSums(await sumOf(numerics, [1 << 25], [0], [1 << 25]), 1 << 25)
  })
  it.each([1, 255, 4095, 4097, 70_001, 1_048_577])('of %i elements of a symbolic dim', async length => {
    expectSums(await sumOf(numerics, [n], [0], [length]), length)
  })
  it.each([4097, 65_537, 1_000_003])('of %i elements', async length => {
    expectSums(await sumOf(numerics, [length], [0], [length]), length)
  })
  it('of both dims', async () => {
    expectSums(await sumOf(numerics, [1021, 1031], [0, 1], [1021, 1031]), 1021 * 1031)
    expectSums(await sumOf(numerics, [n, 3], [0, 1], [400_001, 3]), 400_001 * 3)
  })
  it('of rows, columns and what was computed', async () => {
    expectSums(await sumOf(numerics, [3, 300_001], [1], [3, 300_001]), 300_001)
    for (const width of [1, 4, 13]) expectSums(await sumOf(numerics, [100_003, width], [0], [100_003, width]), 100_003)
    expectSums(await sumOf(numerics, [5, 1003, 9], [1, 2], [5, 1003, 9]), 1003 * 9)
    expectSums(await sumOf(numerics, [n], [0], [300_001], true), 300_001, tenth * tenth)
  })
})
