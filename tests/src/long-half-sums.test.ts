/** @file Sums of halves are added as singles and rounded once: 4,096 ones are 4,096, where halves would stop at 2,048. */
import { describe, expect, it } from 'vitest'
import { numbersOf, oneNode, tensorOf } from '../../packages/core-ir/src/ops/testing/support.ts'
import { runGraph } from './run-graph.ts'
import { software, useSoftwareGpu } from './software-gpu.ts'

const length = 4096
const ones = (...shape: number[]) => tensorOf('f16', shape, () => 1)

const sums = {
  'reduce-sum': { operands: [ones(2, length)], attrs: { axes: [1] } },
  matmul: { operands: [ones(2, length), ones(length, 3)], attrs: {} },
  conv: { operands: [ones(1, length, 3), ones(2, length, 1)], attrs: {} },
}

describe.each(['wasm', 'webgpu'] as const)('on %s', device => {
  if (device === 'webgpu') useSoftwareGpu()
  it.skipIf(device === 'webgpu' && software === undefined).each(Object.entries(sums))(
    '%s',
    async (op, { operands, attrs }) => {
      const inputs = Object.fromEntries(operands.map((t, i) => [`in${i}`, t]))
      const [found] = await runGraph(device, oneNode(op, operands, attrs), [inputs])
      const sum = found?.['out0']
      expect(new Set(sum === undefined ? [] : numbersOf(sum))).toEqual(new Set([length]))
    },
  )
})
