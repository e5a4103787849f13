/** @file Random contractions and convolutions as the rules for a grid schedule them, in the interpreter that sees races. */
import fc from 'fast-check'
import {
  type Graph,
  GraphBuilder,
  type Value,
  ix,
  parseKernel,
  printKernel,
  tensorType,
  verifyKernel,
} from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { type LoweringResult, lowerProgram } from '../../lower-program.ts'
import { parseTrace, printTrace, replay } from '../../schedule/trace.ts'
import { webgpuTarget } from '../../target/webgpu.ts'
import { asRegion, difference, legalised, programOf, random, randomInputs, symbolValues } from '../../testing/graphs.ts'
import { matmulRegion } from '../../testing/regions.ts'
import { gridContractionRule } from './contraction.ts'

const graphOf = (make: (b: GraphBuilder) => Value): Graph => {
  const b = new GraphBuilder('g')
  b.declare({ name: 'n', min: 1, max: undefined, multipleOf: 1 })
  return b.finish({ y: make(b) })
}

/** The graph's meaning is kept at this n, the trace replays to the same kernel, and all of it runs on a grid. */
const holds = (graph: Graph, n: number, seed: number): LoweringResult => {
  const lowered = lowerProgram(programOf(asRegion(graph)), webgpuTarget())
  const legal = legalised(lowered)
  for (const [name, kernel] of lowered.kernels) {
    const { region } = lowered.unscheduled.get(name) ?? { region: kernel }
    const trace = parseTrace(printTrace(lowered.traces.get(name) ?? []))
    const again = replay(region, trace, { permits: 'reassociates' })
    expect(printKernel(again.kernel)).toBe(printKernel(kernel))
    expect(
      kernel.body.every(s => s.kind === 'for' && s.tag.startsWith('workgroup')),
      printKernel(kernel),
    ).toBe(true)
  }
  for (const kernel of legal.kernels.values()) verifyKernel(kernel)
  const inputs = randomInputs(graph, symbolValues(graph, n), random(seed))
  expect(difference(graph, legal, inputs), [...legal.kernels.values()].map(printKernel).join('\n')).toBeUndefined()
  return lowered
}

const extent = (max: number): fc.Arbitrary<number | 'n'> =>
  fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max }) }, { weight: 1, arbitrary: fc.constant('n' as const) })
const dim = (x: number | 'n') => (x === 'n' ? ix.variable('n') : ix.constant(x))
const sizes = fc.constantFrom(1, 2, 3, 5, 17, 64)

describe('random shapes on a grid', () => {
  test('matrix products', () => {
    fc.assert(
      fc.property(
        fc.record({
          m: extent(70),
          n: extent(70),
          k: extent(50),
          batch: fc.option(fc.integer({ min: 1, max: 3 })),
          transposeLhs: fc.boolean(),
          transposeRhs: fc.boolean(),
          relu: fc.boolean(),
          at: sizes,
        }),
        p => {
          const batch = p.batch === null ? [] : [p.batch]
          const sides = (a: number | 'n', b: number | 'n', swap: boolean) =>
            swap ? [dim(b), dim(a)] : [dim(a), dim(b)]
          const graph = graphOf(b => {
            const lhs = b.input('a', tensorType('f32', [...batch, ...sides(p.m, p.k, p.transposeLhs)]))
            const rhs = b.input('b', tensorType('f32', [...batch, ...sides(p.k, p.n, p.transposeRhs)]))
            const y = b.one('matmul', [lhs, rhs], { transposeLhs: p.transposeLhs, transposeRhs: p.transposeRhs })
            return p.relu ? b.one('relu', [y]) : y
          })
          holds(graph, p.at, 7)
        },
      ),
      { numRuns: 25 },
    )
  }, 120_000)

  test('convolutions', () => {
    fc.assert(
      fc.property(
        fc.record({
          batch: extent(2),
          groups: fc.integer({ min: 1, max: 3 }),
          perGroup: fc.integer({ min: 1, max: 3 }),
          out: fc.integer({ min: 1, max: 6 }),
          height: extent(12),
          width: extent(20),
          kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 })),
          strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
          dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
          at: fc.constantFrom(1, 2, 5, 13),
        }),
        p => {
          const pads = p.kernel.map((k, i) => (p.dilations[i] ?? 1) * (k - 1))
          const graph = graphOf(b => {
            const x = b.input(
              'x',
              tensorType('f32', [dim(p.batch), p.groups * p.perGroup, dim(p.height), dim(p.width)]),
            )
            const w = b.input('w', tensorType('f32', [p.groups * p.out, p.perGroup, ...p.kernel]))
            const { strides, dilations, groups } = p
            return b.one('conv', [x, w], {
              strides: [...strides],
              dilations: [...dilations],
              groups,
              pads: [...pads, ...pads],
            })
          })
          holds(graph, p.at, 11)
        },
      ),
      { numRuns: 25 },
    )
  }, 120_000)
})

describe('what the rules choose', () => {
  const textOf = (make: (b: GraphBuilder) => Value): string =>
    [...holds(graphOf(make), 3, 5).kernels.values()].map(printKernel).join('\n')
  const f32 = (b: GraphBuilder, name: string, ...shape: (number | 'n')[]): Value =>
    b.input(name, tensorType('f32', shape.map(dim)))
  const count = (text: string, part: string): number => text.split(part).length - 1

  test('a block of a large product has two barriers for each step of the depth, and copies in vectors', () => {
    const text = textOf(b => b.one('matmul', [f32(b, 'a', 'n', 64), f32(b, 'b', 64, 512)]))
    expect(count(text, 'alloc shared')).toBe(2)
    expect(count(text, 'barrier')).toBe(2)
    expect(count(text, 'for vector')).toBeGreaterThanOrEqual(5)
  })

  test('threads share the depth where a vector meets a matrix', () => {
    const text = textOf(b => b.one('relu', [b.one('matmul', [f32(b, 'a', 1, 130), f32(b, 'b', 130, 41)])]))
    expect(text).toContain('alloc shared acc_part: f32[16,16]')
    expect(text).toContain('for thread.y acc_k')
    const rows = textOf(b => b.one('matmul', [f32(b, 'a', 3, 100), f32(b, 'b', 100, 64)]))
    expect(rows).toContain('alloc shared acc_part')
  })

  test('blocks of many operands fit into workgroup memory', () => {
    const lhs = ['a', 'a2', 'a3', 'a4']
    const text = printKernel(matmulRegion(256, 256, 64).kernel)
      .replace('read a: f32[256,64],', lhs.map(x => `read ${x}: f32[256,64],`).join(' '))
      .replace('a[acc_i, acc_k]', `(${lhs.map(x => `${x}[acc_i, acc_k]`).join(' + ')})`)
    const region = { ...matmulRegion(256, 256, 64), kernel: parseKernel(text) }
    const context = { region, kind: 'contraction', target: webgpuTarget(), permits: 'reassociates' } as const
    const s = gridContractionRule({ ...context, constants: new Set<string>() })
    const extents = [...printKernel(s?.kernel ?? region.kernel).matchAll(/alloc shared \w+: f32\[(\d+),(\d+)\]/g)]
    const bytes = extents.map(([, rows, columns]) => Number(rows) * Number(columns) * 4)
    expect(bytes).toHaveLength(5)
    expect(bytes.reduce((x, y) => x + y)).toBeLessThanOrEqual(16_384)
  })

  test('a small product needs no barriers', () => {
    expect(textOf(b => b.one('matmul', [f32(b, 'a', 'n', 10), f32(b, 'b', 10, 12)]))).not.toContain('barrier')
  })

  test('a pool with a border keeps its fill in the trace', () => {
    const text = textOf(b =>
      b.one('max-pool', [f32(b, 'x', 'n', 8, 16, 16)], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    )
    expect(text).toContain('alloc register x_r')
  })

  test('a convolution reads a row of its image once for all of its window', () => {
    const text = textOf(b =>
      b.one('conv', [f32(b, 'x', 'n', 4, 16, 16), f32(b, 'w', 8, 4, 3, 3)], { pads: [1, 1, 1, 1] }),
    )
    // Four results and a window of three see six elements.
    expect(text).toContain('alloc register x_r: f32[1,1,1,6]')
    expect(text).toContain('for thread.y')
    expect(text).not.toContain('barrier')
  })
})
