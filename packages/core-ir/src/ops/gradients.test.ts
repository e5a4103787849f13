/** Every gradient rule against central differences in f64, through the interpreter. */
import { describe, expect, test } from 'vitest'
import type { Attrs, Graph, Value } from '../graph/graph.ts'
import { GraphBuilder, tensorType } from '../graph/builder.ts'
import { interpretGraphSync } from '../graph/interpret.ts'
import { pullBack } from '../differentiate/pull-back.ts'
import { verifyGraph } from '../graph/verify.ts'
import type { HostTensor } from '../host-tensor.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { ops } from './registry.ts'
import { constantOf, generator, isKnownOperand, numbersOf, tensorOf } from './testing/support.ts'

/** Operands: a shape of random numbers, of random positive ones, or a tensor that is not varied. */
type Operand =
  | { readonly shape: readonly number[]; readonly from?: number; readonly to?: number }
  | HostTensor
  | undefined
interface Case {
  readonly op: string
  readonly operands: readonly Operand[]
  readonly attrs?: Attrs
}
const any = (...shape: number[]): Operand => ({ shape })
const positive = (...shape: number[]): Operand => ({ shape, from: 0.2, to: 3 })
const ints = (shape: readonly number[], values: readonly number[]): HostTensor =>
  tensorOf('i32', shape, i => values[i] ?? 0)
const flags = (...shape: number[]): HostTensor => tensorOf('bool', shape, i => ((i * 7) % 3) % 2)
const fixed = (shape: readonly number[], values: readonly number[]): HostTensor =>
  tensorOf('f64', shape, i => values[i] ?? 0)

const plain = [
  'neg',
  'abs',
  'floor',
  'ceil',
  'trunc',
  'round',
  'exp',
  'sin',
  'cos',
  'tanh',
  'erf',
  'sigmoid',
  'relu',
  'gelu',
  'silu',
  'identity',
]
const pairs = ['add', 'sub', 'mul', 'div', 'rem', 'min', 'max']
const cases: readonly Case[] = [
  ...plain.map(op => ({ op, operands: [any(2, 3)] })),
  ...['log', 'sqrt'].map(op => ({ op, operands: [positive(2, 3)] })),
  ...pairs.map(op => ({ op, operands: [any(2, 3), any(2, 3)] })),
  { op: 'pow', operands: [positive(2, 3), any(2, 3)] },
  { op: 'pow', operands: [fixed([3], [0, 2, -2]), fixed([3], [2, 0, 3])] },
  { op: 'gelu', operands: [any(5)], attrs: { approximate: 'tanh' } },
  { op: 'select', operands: [flags(2, 3), any(2, 3), any(2, 3)] },
  { op: 'cast', operands: [any(4)], attrs: { dtype: 'f64' } },
  { op: 'cast', operands: [any(4)], attrs: { dtype: 'i32' } },
  { op: 'broadcast', operands: [any(1, 3)], attrs: { shape: [2, 4, 3] } },
  { op: 'sum-to', operands: [any(2, 4, 3)], attrs: { shape: [1, 3] } },
  { op: 'reshape', operands: [any(2, 6)], attrs: { shape: [3, 4] } },
  { op: 'transpose', operands: [any(2, 3, 4)], attrs: { perm: [2, 0, 1] } },
  { op: 'slice', operands: [any(5, 6)], attrs: { starts: [1, 5], sizes: [2, 3], steps: [2, -2] } },
  { op: 'unslice', operands: [any(2, 3)], attrs: { starts: [1, 5], steps: [2, -2], shape: [5, 6] } },
  { op: 'pad', operands: [any(2, 3)], attrs: { low: [1, 0], high: [0, 2], value: 3 } },
  { op: 'concat', operands: [any(2, 3), any(2, 1), any(2, 2)], attrs: { axis: 1 } },
  { op: 'gather', operands: [any(4, 2), ints([3], [1, -1, 1])] },
  { op: 'gather', operands: [any(2, 4), ints([2, 2], [1, -1, 9, 1])], attrs: { axis: 1 } },
  { op: 'gather-elements', operands: [any(2, 4), ints([2, 3], [1, -1, 1, 0, 0, 3])], attrs: { axis: 1 } },
  ...['none', 'add', 'mul', 'min', 'max'].flatMap((reduction): Case[] => [
    { op: 'scatter', operands: [any(2, 4), ints([2, 2], [1, 3, 0, -1]), any(2, 2)], attrs: { axis: 1, reduction } },
    { op: 'scatter-rows', operands: [any(4, 2), ints([2], [1, -1]), any(2, 2)], attrs: { reduction } },
  ]),
  ...['add', 'mul', 'min', 'max'].map((reduction): Case => ({
    op: 'scatter-rows',
    operands: [any(3, 2), ints([3], [1, 1, 1]), any(3, 2)],
    attrs: { reduction },
  })),
  { op: 'append', operands: [any(5, 2), any(2, 2), ints([], [1])] },
  { op: 'append', operands: [any(2, 5), any(2, 3), ints([], [4])], attrs: { axis: 1 } },
  { op: 'take-rows', operands: [any(5, 2), ints([], [4])], attrs: { extent: 2 } },
  ...['reduce-sum', 'reduce-prod', 'reduce-max', 'reduce-min'].flatMap((op): Case[] => [
    { op, operands: [any(2, 3, 2)], attrs: { axes: [0, 2] } },
    { op, operands: [any(2, 3)], attrs: { axes: [1], keepDims: true } },
    { op, operands: [any(2, 3)] },
    { op, operands: [any()] },
  ]),
  { op: 'reduce-prod', operands: [fixed([3, 3], [0, 2, 3, 0, 0, 4, 5, 6, 7])], attrs: { axes: [1] } },
  { op: 'softmax', operands: [any(2, 3)] },
  { op: 'softmax', operands: [any(2, 3)], attrs: { axis: 0 } },
  { op: 'log-softmax', operands: [any(2, 3)] },
  { op: 'reshape-to', operands: [any(2, 6), ints([3], [3, -1, 2])] },
  { op: 'broadcast-to', operands: [any(2, 1, 3), ints([4], [2, 1, 4, 1])] },
  { op: 'batch-norm', operands: [any(2, 3, 2), any(3), positive(3), any(3), any(3)] },
  { op: 'layer-norm', operands: [any(2, 2, 3), any(2, 3), any(2, 3)], attrs: { axis: 1 } },
  { op: 'layer-norm', operands: [any(2, 3), undefined, any(3)] },
  { op: 'rms-norm', operands: [any(2, 3), any(3)] },
  { op: 'cumsum', operands: [any(2, 3)] },
  { op: 'cumsum', operands: [any(3, 2)], attrs: { axis: 0, exclusive: true, reverse: true } },
  { op: 'sort', operands: [any(2, 5)] },
  { op: 'sort', operands: [any(4, 2)], attrs: { axis: 0, descending: true } },
  { op: 'sort-first', operands: [any(2, 5)], attrs: { count: 2 } },
  { op: 'top-k', operands: [any(2, 5)], attrs: { k: 2 } },
  { op: 'matmul', operands: [any(2, 3), any(3, 4)] },
  { op: 'matmul', operands: [any(2, 1, 3, 2), any(4, 3)], attrs: { transposeLhs: true, transposeRhs: true } },
  { op: 'matmul', operands: [any(3, 2), any(2, 3, 4)], attrs: { transposeLhs: true } },
  { op: 'conv', operands: [any(2, 2, 5, 4), any(3, 2, 2, 3)], attrs: { pads: [1, 0, 0, 1] } },
  {
    op: 'conv',
    operands: [any(2, 4, 7), any(6, 2, 3)],
    attrs: { strides: [2], dilations: [2], pads: [1, 2], groups: 2 },
  },
  { op: 'conv', operands: [any(1, 3, 6, 6), any(3, 1, 2, 2)], attrs: { strides: [3, 2], groups: 3 } },
  {
    op: 'conv-transpose',
    operands: [any(2, 4, 3), any(4, 2, 3)],
    attrs: { strides: [2], pads: [1, 1], groups: 2, extents: [6] },
  },
  { op: 'conv-transpose', operands: [any(1, 2, 2, 3), any(2, 2, 2, 2)], attrs: { dilations: [2, 1], extents: [4, 4] } },
  { op: 'max-pool', operands: [any(1, 2, 4, 5)], attrs: { kernel: [2, 3], strides: [1, 2], pads: [1, 0, 0, 1] } },
  {
    op: 'max-unpool',
    operands: [any(1, 1, 2, 2), ints([1, 1, 2, 2], [0, 3, 2, 1])],
    attrs: { kernel: [2, 2], extents: [4, 4] },
  },
  { op: 'take-pooled', operands: [any(1, 1, 4, 4), ints([1, 1, 2, 2], [0, 3, 2, 1])], attrs: { kernel: [2, 2] } },
  { op: 'avg-pool', operands: [any(1, 2, 4, 5)], attrs: { kernel: [2, 3], strides: [1, 2], pads: [1, 0, 0, 1] } },
  {
    op: 'avg-pool',
    operands: [any(1, 2, 6)],
    attrs: { kernel: [2], strides: [1], dilations: [2], pads: [1, 2], countPads: true },
  },
  { op: 'sum-unpool', operands: [any(1, 2, 3)], attrs: { kernel: [2], strides: [2], pads: [1, 0], extents: [5] } },
]

const tensors = (operands: readonly Operand[], seed: number): (HostTensor | undefined)[] => {
  const next = generator(seed)
  return operands.map(o => {
    if (o === undefined || 'data' in o) return o
    const { shape, from = -2, to = 2 } = o
    return tensorOf('f64', shape, () => from + next() * (to - from))
  })
}

const operandOf = (b: GraphBuilder, op: string, t: HostTensor, k: number): Value =>
  isKnownOperand(op, k) ? constantOf(b, t) : b.input(`in${k}`, tensorType(t.dtype, t.shape))

const weightsOf = (shape: readonly number[], seed: number): HostTensor => {
  const next = generator(seed)
  return tensorOf('f64', shape, () => next() * 2 - 1)
}

describe.each(cases.map((c, i) => ({ ...c, i, title: `${c.op} ${JSON.stringify(c.attrs ?? {})}` })))(
  '$title',
  ({ op: name, operands, attrs = {}, i }) => {
    test('agrees with central differences', () => {
      const given = tensors(operands, i + 1)
      const inputs = Object.fromEntries(given.flatMap((t, k) => (t === undefined ? [] : [[`in${k}`, t] as const])))

      const forward = (): Graph => {
        const b = new GraphBuilder('forward')
        const results = b.add(
          name,
          given.map((t, k) => t && operandOf(b, name, t, k)),
          attrs,
        )
        return b.finish(Object.fromEntries(results.map((r, k) => [`out${k}`, r])))
      }
      const whole = forward()
      const first = interpretGraphSync(whole, inputs)['out0']
      const weights = weightsOf(first?.shape ?? [], 77)
      const loss = (tensors: Record<string, HostTensor>): number => {
        const out = interpretGraphSync(whole, tensors)['out0']
        if (out === undefined || !isFloat(out.dtype)) return 0
        const w = numbersOf(weights)
        return numbersOf(out).reduce((sum, y, k) => sum + y * (w[k] ?? 0), 0)
      }

      const b = new GraphBuilder('backward')
      const args = whole.inputs.map(x => b.input(x.name, x.value.type))
      const g = b.input('weights', tensorType('f64', weights.shape))
      const seeds = whole.outputs.map((o, k) => (k === 0 && isFloat(o.value.type.dtype) ? g : undefined))
      const { gradients } = pullBack(
        b,
        whole,
        args,
        seeds,
        args.map(() => true),
      )
      const outputs: Record<string, Value> = {}
      whole.inputs.forEach(({ name: input, value: v }, k) => {
        const grad = gradients[k]
        if (grad === undefined) return
        expect(grad.type.shape.map(d => d.key)).toEqual(v.type.shape.map(d => d.key))
        expect(grad.type.dtype).toBe(v.type.dtype)
        outputs[input] = grad
      })
      const graph = b.finish(outputs)
      verifyGraph(graph)
      const computed = interpretGraphSync(graph, { ...inputs, weights })

      given.forEach((t, k) => {
        if (t === undefined || t.dtype !== 'f64') return
        const at = numbersOf(t)
        const found = computed[`in${k}`]
        const analytic = found === undefined ? at.map(() => 0) : numbersOf(found)
        const h = 1e-6
        const moved = (e: number, by: number): number =>
          loss({ ...inputs, [`in${k}`]: tensorOf('f64', t.shape, p => (at[p] ?? 0) + (p === e ? by : 0)) })
        const stride = Math.max(1, Math.floor(at.length / 8))
        at.forEach((_, e) => {
          if (e % stride !== 0) return
          // NaN where the op itself is not differentiable or not defined nearby: then the rule may say anything finite.
          const numeric = (moved(e, h) - moved(e, -h)) / (2 * h)
          expect(analytic[e]).not.toBeNaN()
          if (!Number.isNaN(numeric))
            expect(
              Math.abs((analytic[e] ?? NaN) - numeric),
              `in${k}[${e}]: ${analytic[e]} for ${numeric}`,
            ).toBeLessThan(1e-5 * (1 + Math.abs(numeric)))
        })
      })
    })
  },
)

test('every op with a gradient rule, or parts that have one, is tried', () => {
  const tried = new Set(cases.map(c => c.op))
  const ruled = [...ops.values()].filter(op => typeof op.gradient !== 'string')
  expect(ruled.map(op => op.name).filter(name => !tried.has(name))).toEqual([])
})
