/** @file Kernels written by hand, run on a software adapter and compared with the interpreter. */
import type { HostArray } from '@quern/artifact'
import { arrayOf } from '@quern/artifact'
import { interpretKernel, parseKernel } from '@quern/core-ir'
import { beforeAll, describe, expect, test } from 'vitest'
import { type SoftwareGpu, softwareGpu } from '../test-support/dawn.ts'
import { kernels } from '../test-support/kernels.ts'
import { runKernel } from '../test-support/run-kernel.ts'

const software: SoftwareGpu | undefined = await softwareGpu()

/** Small whole numbers: sums of products are exact in any order. */
const fill = (array: HostArray, seed: number): HostArray => {
  let x = seed
  for (let i = 0; i < array.length; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff
    const value = (x >> 16) % 9
    if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[i] = BigInt(value)
    else array[i] = array instanceof Float32Array ? value - 4 : value
  }
  return array
}

interface Case {
  readonly kernel: keyof typeof kernels
  readonly symbols: Readonly<Record<string, number>>
  readonly sizes: Readonly<Record<string, number>>
}
const cases: readonly Case[] = [
  ...[1, 5, 256, 1000].map((n): Case => ({ kernel: 'elementwise', symbols: { n }, sizes: { x: n + 16, y: n + 16 } })),
  ...[
    [1, 1, 1],
    [33, 17, 40],
    [64, 64, 64],
  ].map(([m = 1, k = 1, n = 1]): Case => ({
    kernel: 'matmul',
    symbols: { m, k, n },
    sizes: { a: m * k, b: k * n, y: m * n },
  })),
  ...[1, 7, 300].map((n): Case => ({
    kernel: 'laneBranches',
    symbols: { n },
    sizes: { x: n + 16, y: n + 16, z: n + 16 },
  })),
  ...[
    [3, 1],
    [2, 63],
    [4, 200],
  ].map(([m = 1, n = 1]): Case => ({ kernel: 'treeReduction', symbols: { m, n }, sizes: { x: m * n, y: m } })),
  ...[
    [3, 1],
    [17, 20],
  ].map(([m = 1, n = 1]): Case => ({ kernel: 'transpose', symbols: { m, n }, sizes: { x: m * n, y: m * n } })),
  { kernel: 'scatter', symbols: { n: 40 }, sizes: { at: 40, x: 40, y: 32 } },
]

describe.skipIf(software === undefined)('on the software adapter', () => {
  let device: GPUDevice
  beforeAll(() => {
    if (software === undefined) throw new Error('unreachable')
    device = software.device
    expect(software.adapter.info.description).toMatch(/SwiftShader|llvmpipe/)
  })
  const limits = [undefined, { maxComputeWorkgroupsPerDimension: 2 }]
  for (const [limit, { kernel: name, symbols, sizes }] of limits.flatMap(l => cases.map(c => [l, c] as const)))
    test(`${name} ${JSON.stringify(symbols)}${limit === undefined ? '' : ', in rows of two workgroups'}`, async () => {
      const kernel = parseKernel(kernels[name])
      const make = (): Record<string, HostArray> =>
        Object.fromEntries(kernel.params.map((p, i) => [p.name, fill(new arrayOf[p.dtype](sizes[p.name] ?? 0), i + 1)]))
      const expected = make()
      interpretKernel(kernel, { buffers: expected, symbols })
      const run = await runKernel(device, kernel, make(), symbols, {
        features: { f16: false, subgroups: false },
        ...(limit !== undefined && { limits: limit }),
      })
      expect(run.status).toBe('ok')
      expect(run.dispatches).toBe(1)
      expect(run.submits).toBe(1)
      expect(run.buffers, run.code).toEqual(expected)
    })
})
