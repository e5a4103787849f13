/**
 * @file What the rules make of contractions, convolutions and pools for WebGPU, at constant and symbolic sizes: the kernels
 * in the interpreter of loops, which sees races and missing barriers, and their WGSL on a software adapter.
 */
import { arrayOf } from '@quern/artifact'
import {
  type Graph,
  GraphBuilder,
  type HostTensor,
  type Stmt,
  type Value,
  expandKernel,
  interpretGraphSync,
  interpretPlan,
  ix,
  printKernel,
  tensorType,
  verifyKernel,
} from '@quern/core-ir'
import { defaultLimits, emitKernel } from '@quern/codegen-wgsl'
import { formRegions } from '@quern/graph-opt'
import { type LoweringResult, legalise, lowerProgram, regionLimits, printTrace, webgpuTarget } from '@quern/loop-opt'
import { describe, expect, it } from 'vitest'
import { nullDevice, softwareGpu, validate } from '../../packages/codegen-wgsl/test-support/dawn.ts'
import { loadProgram } from '../../packages/codegen-wgsl/test-support/run-plan.ts'

const device = await nullDevice()
const software = await softwareGpu()
const n = ix.variable('n')
const m = ix.variable('m')

type Make = (b: GraphBuilder) => Value
type Dims = Parameters<typeof tensorType>[1]
const f32 = (b: GraphBuilder, name: string, shape: Dims): Value => b.input(name, tensorType('f32', shape))

const matmul =
  (lhs: Dims, rhs: Dims, attrs: { transposeLhs?: boolean; transposeRhs?: boolean } = {}): Make =>
  b =>
    b.one('matmul', [f32(b, 'a', lhs), f32(b, 'b', rhs)], attrs)
/** As a linear layer of a model: the weights are a constant. */
const linear =
  (rows: Dims, out: number, depth: number, transposeRhs: boolean): Make =>
  b => {
    const data = Array.from({ length: out * depth }, (_, i) => ((i * 37) % 19) / 8 - 1)
    const shape = transposeRhs ? [out, depth] : [depth, out]
    const weight = b.one('constant', [], { data: { kind: 'inline', values: data }, dtype: 'f32', shape })
    return b.one('matmul', [f32(b, 'a', [...rows, depth]), weight], { transposeRhs })
  }
const conv =
  (x: Dims, weight: Dims, attrs: Record<string, number | number[]> = {}): Make =>
  b =>
    b.one('conv', [f32(b, 'x', x), f32(b, 'w', weight)], attrs)
const pool =
  (op: 'max-pool' | 'avg-pool', x: Dims, attrs: Record<string, number[]>): Make =>
  b =>
    b.one(op, [f32(b, 'x', x)], attrs)
/** Bias along a dim, then relu. */
const dense =
  (make: Make, dim: number): Make =>
  b => {
    const y = make(b)
    const { shape } = y.type
    const bias = f32(b, 'bias', [shape[dim] ?? 1])
    const wide = b.one('reshape', [bias], { shape: shape.map((d, i) => (i === dim ? d : ix.constant(1))) })
    return b.one('relu', [b.one('add', [y, b.one('broadcast', [wide], { shape })])])
  }

const cases: Readonly<Record<string, Make>> = {
  'rows of n by a small matrix': dense(matmul([n, 8], [8, 10]), 1),
  'rows of n, odd sizes': dense(matmul([n, 33], [33, 37]), 1),
  'rows of n, four divides': dense(matmul([n, 32], [32, 64]), 1),
  'transposed right-hand side': dense(matmul([n, 36], [20, 36], { transposeRhs: true }), 1),
  'transposed left-hand side': matmul([24, n], [24, 40], { transposeLhs: true }),
  'both transposed': matmul([19, n], [21, 19], { transposeLhs: true, transposeRhs: true }),
  'large enough for blocks': matmul([70, 50], [50, 68]),
  'constant weights': dense(linear([n], 40, 48, false), 1),
  'constant weights, transposed': dense(linear([n], 20, 60, true), 1),
  'constant weights, transposed, for sequences': linear([2, n], 36, 40, true),
  'blocks with edges everywhere': dense(matmul([200, 45], [45, 203]), 1),
  'blocks where four divides': matmul([192, 32], [32, 200]),
  'blocks of a transposed right-hand side': matmul([2, 150, 44], [2, 130, 44], { transposeRhs: true }),
  'symbolic depth': matmul([17, n], [n, 18]),
  'symbolic columns': matmul([17, 9], [9, n]),
  'two symbols': matmul([n, m], [m, n]),
  'one row': dense(matmul([1, 100], [100, 40]), 1),
  'one row, shared depth': dense(matmul([1, 300], [300, 70]), 1),
  'few rows, shared depth': matmul([2, 3, 90], [2, 90, 33]),
  'sums of columns, shared depth': b => b.one('reduce-sum', [f32(b, 'x', [n, 20])], { axes: [0] }),
  'largest of columns, shared depth': b => b.one('reduce-max', [f32(b, 'x', [200, 5])], { axes: [0] }),
  'one row, transposed': dense(matmul([1, 100], [40, 100], { transposeRhs: true }), 1),
  'one column': matmul([n, 40], [40, 1]),
  'one product': matmul([1, 40], [40, 1]),
  batched: matmul([n, 3, 10, 12], [n, 3, 12, 9]),
  'one right-hand side for all': matmul([n, 5, 12], [12, 9]),
  'heads of attention': matmul([2, 3, n, 8], [2, 3, n, 8], { transposeRhs: true }),
  'convolution with a border': dense(conv([n, 3, 9, 9], [8, 3, 3, 3], { pads: [1, 1, 1, 1] }), 1),
  'convolution as in digits': dense(conv([n, 1, 12, 12], [8, 1, 5, 5], { pads: [2, 2, 2, 2] }), 1),
  'convolution with strides': conv([n, 4, 11, 10], [6, 4, 3, 3], { strides: [2, 2], pads: [1, 0, 1, 1] }),
  'convolution with holes': conv([n, 2, 9, 9], [3, 2, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }),
  'convolution of one by one': dense(conv([n, 8, 6, 6], [12, 8, 1, 1]), 1),
  'grouped convolution': conv([n, 6, 7, 7], [4, 3, 3, 3], { groups: 2, pads: [1, 1, 1, 1] }),
  'depthwise convolution': dense(conv([n, 6, 8, 8], [6, 1, 3, 3], { groups: 6, pads: [1, 1, 1, 1] }), 1),
  'convolution of n × m images': conv([1, 3, n, m], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }),
  'convolution of lines': conv([n, 3, 20], [5, 3, 4]),
  'convolution of volumes': conv([n, 2, 4, 5, 6], [3, 2, 2, 2, 2]),
  'max-pool': pool('max-pool', [n, 3, 8, 8], { kernel: [2, 2] }),
  'max-pool with a border': pool('max-pool', [n, 3, 9, 9], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  'avg-pool': pool('avg-pool', [n, 3, 9, 9], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  'blocks of whole numbers': b =>
    b.one('matmul', [b.input('a', tensorType('i32', [60, 40])), b.input('b', tensorType('i32', [40, 260]))]),
  'whole numbers': b =>
    b.one('matmul', [b.input('a', tensorType('i32', [n, 12])), b.input('b', tensorType('i32', [12, 20]))]),
}

/** What the schedules of some must hold. */
const holds = (name: string): readonly string[] => [
  ...(/^blocks|^constant/.test(name) ? ['alloc shared'] : []),
  ...(name.startsWith('blocks') ? ['for vector acc'] : []),
  ...(name.includes('shared depth') ? ['alloc shared acc_part'] : []),
  ...(/constant weights, transposed/.test(name) ? ['layout('] : []),
  ...(/onvolution with|onvolution as/.test(name) ? ['space":"register"', 'thread.y'] : []),
]

const graphOf = (make: Make): Graph => {
  const b = new GraphBuilder('g')
  for (const name of ['n', 'm']) b.declare({ name, min: 1, max: undefined, multipleOf: 1 })
  return b.finish({ y: make(b) })
}

const lower = (graph: Graph): LoweringResult => {
  const target = webgpuTarget()
  const entries = new Map([['main', formRegions(graph, regionLimits(target))]])
  return lowerProgram({ name: 'g', entries, states: [], sources: new Map() }, target)
}

/** As generators get them. */
const legal = (lowered: LoweringResult): LoweringResult => ({
  ...lowered,
  kernels: new Map(
    [...lowered.kernels].map(([name, kernel]) => {
      const ready = expandKernel(legalise(kernel), { f16: 'via-f32' })
      verifyKernel(ready)
      return [name, ready]
    }),
  ),
})

const inputsOf = (graph: Graph, symbols: ReadonlyMap<string, number>): Record<string, HostTensor> =>
  Object.fromEntries(
    graph.inputs.map(({ name, value: { type } }, at) => {
      const shape = type.shape.map(d => ix.evaluateIndex(d, symbols))
      const data = new arrayOf[type.dtype](shape.reduce((a, b) => a * b, 1))
      for (let i = 0; i < data.length; i++) {
        const whole = ((i * 7919 + at * 131) % 23) - 11
        if (!(data instanceof BigInt64Array || data instanceof BigUint64Array))
          data[i] = type.dtype === 'f32' ? whole / 8 : whole
      }
      return [name, { dtype: type.dtype, shape, data }]
    }),
  )

/** The largest difference, of the largest value. */
const distance = (got: ArrayLike<number | bigint>, want: ArrayLike<number | bigint>): number => {
  if (got.length !== want.length) return Infinity
  let worst = 0,
    largest = 1
  for (let i = 0; i < want.length; i++) {
    largest = Math.max(largest, Math.abs(Number(want[i])))
    const d = Math.abs(Number(want[i]) - Number(got[i]))
    worst = Math.max(worst, Number.isNaN(d) ? Infinity : d)
  }
  return worst / largest
}

const runsOnThreads = (stmts: readonly Stmt[]): boolean =>
  stmts.every(s => s.kind !== 'for' || s.tag.startsWith('workgroup'))

const sizes = [1, 2, 3, 5, 64].map(
  v =>
    new Map([
      ['n', v],
      ['m', v === 64 ? 20 : v + 2],
    ]),
)

describe('kernels for WebGPU', () => {
  for (const [name, make] of Object.entries(cases)) {
    const graph = graphOf(make)
    const symbolic = [...graph.inputs].some(i => i.value.type.shape.some(d => !ix.isConst(d)))
    const used = symbolic ? sizes : sizes.slice(0, 1)

    it(`${name}: the loops mean what the graph means`, () => {
      const lowered = lower(graph)
      const shown = [...lowered.kernels].map(
        ([k, kernel]) => `${printTrace(lowered.traces.get(k) ?? [])}\n${printKernel(kernel)}`,
      )
      for (const part of holds(name)) expect(shown.join('\n')).toContain(part)
      for (const kernel of lowered.kernels.values()) expect(runsOnThreads(kernel.body), shown.join('\n')).toBe(true)
      for (const symbols of used.slice(0, 4)) {
        const inputs = inputsOf(graph, symbols)
        const want = interpretGraphSync(graph, inputs)['y']
        for (const program of [lowered, legal(lowered)]) {
          const { outputs, status } = interpretPlan(program, 'main', inputs)
          expect(status).toBeUndefined()
          expect(distance(outputs['y']?.data ?? [], want?.data ?? []), shown.join('\n')).toBeLessThan(1e-5)
        }
      }
    }, 60_000)

    it(`${name}: WGSL is valid`, async () => {
      for (const kernel of legal(lower(graph)).kernels.values()) {
        const { shader } = emitKernel(kernel, { f16: false, limits: defaultLimits, index: 0 })
        expect(await validate(device, shader), shader.code).toEqual([])
      }
    })

    it.skipIf(software === undefined)(
      `${name}: WGSL computes it`,
      async () => {
        if (software === undefined) return
        const loaded = await loadProgram(software.device, legal(lower(graph)))
        try {
          for (const symbols of used) {
            const inputs = inputsOf(graph, symbols)
            const want = interpretGraphSync(graph, inputs)['y']
            const arrays = Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, v.data]))
            const got = await loaded.run(arrays, Object.fromEntries(symbols))
            expect(distance(got['y'] ?? [], want?.data ?? []), loaded.code).toBeLessThan(1e-5)
          }
        } finally {
          await loaded.executor.dispose(Promise.resolve())
        }
      },
      60_000,
    )
  }
})
