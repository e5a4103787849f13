/** @file Long reductions to few results: in parts, joined by a kernel of their own, in one order for any number of threads. */
import { type GraphBuilder, type Value, tensorType } from '@quern/core-ir'
import { lowerProgram, regionLimits, wasmTarget } from '@quern/loop-opt'
import { formRegions } from '@quern/graph-opt'
import { printKernel } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { type Make, type Sizes, expectEverywhere, graphOf, n } from './everywhere.ts'

type Dims = Parameters<typeof tensorType>[1]
const x = (b: GraphBuilder, shape: Dims, dtype: 'f32' | 'i32' | 'bool' = 'f32'): Value =>
  b.input('x', tensorType(dtype, shape))

const cases: Readonly<Record<string, readonly [make: Make, kernels: number, sizes?: readonly Sizes[]]>> = {
  'a sum where blocks fit': [b => b.one('reduce-sum', [x(b, [40_960])]), 2],
  'a sum with a rest': [b => b.one('reduce-sum', [x(b, [40_003])]), 2],
  'a sum of any length': [b => b.one('reduce-sum', [x(b, [n])]), 2, [{ n: 33_000 }, { n: 36_864 }, { n: 40_961 }]],
  'a sum of computed elements': [b => b.one('reduce-sum', [b.one('relu', [x(b, [n, 3])])]), 2, [{ n: 33_000 }]],
  'a sum over both dims': [b => b.one('reduce-sum', [x(b, [203, 201])]), 2],
  'a sum over dims apart': [b => b.one('reduce-sum', [x(b, [211, 2, 203])], { axes: [0, 2] }), 2],
  'a few rows': [b => b.one('reduce-max', [x(b, [3, 33_001])], { axes: [1] }), 2],
  'a few columns': [b => b.one('reduce-sum', [x(b, [33_001, 3])], { axes: [0] }), 2],
  'kept dims': [b => b.one('reduce-min', [x(b, [1, 33_001, 1])], { axes: [1], keepDims: true }), 2],
  'whole numbers': [b => b.one('reduce-sum', [x(b, [40_003], 'i32')]), 2],
  any: [b => b.one('reduce-any', [x(b, [40_003], 'bool')]), 2],
  'a dot product': [b => b.one('matmul', [x(b, [1, 33_001]), b.input('w', tensorType('f32', [33_001, 1]))]), 2],
  'the position of the largest': [b => b.one('argmax', [x(b, [2, 33_001])], { axis: 1 }), 4],
  'a short sum': [b => b.one('reduce-sum', [x(b, [20_000])]), 1],
}

describe('long reductions', () => {
  it.each(Object.entries(cases))(
    '%s',
    async (_, [make, kernels, sizes]) => {
      const found = await expectEverywhere(graphOf(make, sizes === undefined ? 0 : 33_000), { ...(sizes && { sizes }) })
      for (const text of Object.values(found)) expect(text.match(/^kernel/gm)?.length, text).toBe(kernels)
      if (kernels === 1) return
      expect(found.webgpu).toMatch(/_blocks[^]*for workgroup/)
    },
    120_000,
  )

  it.each<[string, Make]>([
    ['softmax', b => b.one('softmax', [x(b, [2, 33_001])])],
    [
      'layer norm',
      b =>
        b.one('layer-norm', [
          x(b, [2, 33_001]),
          b.input('g', tensorType('f32', [33_001])),
          b.input('b', tensorType('f32', [33_001])),
        ]),
    ],
  ])(
    '%s of few long rows',
    async (_, make) => {
      const found = await expectEverywhere(graphOf(make), { tolerance: 1e-5 })
      expect(found.team).toMatch(/_blocks/)
      expect(found.webgpu).toMatch(/_total/)
    },
    120_000,
  )
})

it.each(['reassociates', 'exact'] as const)('adds in one order for any number of threads: %s', numerics => {
  const textFor = (make: Make, threads: number): string => {
    const target = wasmTarget({ threads })
    const entries = new Map([['main', formRegions(graphOf(make), regionLimits(target))]])
    const program = { name: 'g', entries, states: [], sources: new Map() }
    return [...lowerProgram(program, target, { numerics }).kernels.values()].map(k => printKernel(k)).join('\n')
  }
  for (const make of [
    (b: GraphBuilder) => b.one('reduce-sum', [x(b, [1_000_003])]),
    (b: GraphBuilder) => b.one('softmax', [x(b, [1, 200_003])]),
  ]) {
    const alone = textFor(make, 1)
    expect(textFor(make, 8)).toMatch(/for parallel/)
    expect(textFor(make, 8).replaceAll('for parallel', 'for')).toBe(alone)
  }
})
