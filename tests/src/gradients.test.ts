/** @file Gradients of compositions: central differences in f64 on the interpreter, and the compiled artifact on wasm and WebGPU. */
import type { HostArray } from '@quern/artifact'
import { type HostTensor, interpretGraphSync, verifyGraph } from '@quern/core-ir'
import { jit } from '@quern/jit'
import * as q from '@quern/model'
import { nn } from '@quern/model'
import { beforeAll, describe, expect, it } from 'vitest'
import { softwareGpu } from '../../packages/codegen-wgsl/test-support/dawn.ts'
import { generator, numbersOf, tensorOf } from '../../packages/core-ir/src/ops/testing/support.ts'

type T = q.Tensor<'f64'>
type Ints = q.Tensor<'i32'>
interface Composition {
  /** Shapes of what gradients are taken of. */
  readonly weights: Readonly<Record<string, readonly number[]>>
  readonly ints?: Readonly<Record<string, readonly number[]>>
  loss(w: Readonly<Record<string, T>>, ints: Readonly<Record<string, Ints>>): T
}
type Shapes = Readonly<Record<string, readonly number[]>>
/** Names in `loss` are those of the shapes. */
const composed = <const W extends Shapes, const I extends Shapes = Record<never, never>>(composition: {
  readonly weights: W
  readonly ints?: I
  loss(w: { readonly [K in keyof W]: q.Tensor<'f64', W[K]> }, ints: { readonly [K in keyof I]: Ints }): T
}): Composition => composition as unknown as Composition

const compositions: Readonly<Record<string, Composition>> = {
  'an MLP with softmax cross-entropy': composed({
    weights: { x: [5, 4], w1: [6, 4], b1: [6], w2: [3, 6], b2: [3] },
    ints: { labels: [5] },
    loss: ({ x, w1, b1, w2, b2 }, { labels }) => {
      const hidden = q.nn.tanh(nn.linear(x, { weight: w1, bias: b1 }))
      const logits = nn.linear(nn.relu(hidden), { weight: w2, bias: b2 })
      return q.neg(q.mean(q.gatherElements(nn.logSoftmax(logits), q.reshape(labels, [5, 1]), 1)))
    },
  }),
  'convolution, pooling and layer norm': composed({
    weights: { x: [1, 2, 4, 4], k: [3, 2, 3, 3], b: [3], scale: [4], shift: [4] },
    loss: ({ x, k, b, scale, shift }) => {
      const y = nn.conv2d(x, { weight: k, bias: b }, { padding: 1 })
      const pooled = nn.maxPool(nn.gelu(y), 2)
      const rows = nn.layerNorm(q.reshape(pooled, [1, 3, 4]), { weight: scale, bias: shift })
      return q.add(q.mean(q.mul(rows, q.sin(rows))), q.mean(nn.avgPool(q.mul(y, y), 2)))
    },
  }),
  'a block with attention': composed({
    weights: { x: [4, 6], wq: [6, 6], wk: [6, 6], wv: [6, 6], wo: [6, 6], g: [6] },
    loss: ({ x, wq, wk, wv, wo, g }) => {
      const y = nn.rmsNorm(x, { weight: g })
      const heads = (w: q.Tensor<'f64', readonly [6, 6]>) =>
        q.transpose(q.reshape(nn.linear(y, { weight: w }), [4, 2, 3]), [1, 0, 2])
      const scores = q.div(q.matmul(heads(wq), q.transpose(heads(wk), [0, 2, 1])), Math.sqrt(3))
      const causal = q.lessEqual(q.iota([4, 4], { axis: 1 }), q.iota([4, 4]))
      const mixed = q.matmul(nn.softmax(q.where(causal, scores, -1e9) as T), heads(wv))
      const out = q.add(x, nn.linear(q.reshape(q.transpose(mixed, [1, 0, 2]), [4, 6]), { weight: wo }))
      return q.mean(q.mul(out, nn.silu(out)))
    },
  }),
  'an embedding whose rows are taken twice': composed({
    weights: { table: [5, 3], w: [3] },
    ints: { tokens: [4] },
    loss: ({ table, w }, { tokens }) => {
      const rows = q.gather(table, tokens)
      return q.sum(q.exp(q.mul(q.sum(q.mul(rows, w), { axes: [1] }), 0.5)))
    },
  }),
  'a condition': composed({
    weights: { x: [4], w: [4] },
    loss: ({ x, w }) => {
      const dot = q.sum(q.mul(x, w))
      const { y } = q.cond(
        q.greater(dot, 0),
        () => ({ y: q.mul(q.sin(x), dot) as T }),
        () => ({ y: q.mul(w, w) as T }),
      )
      return q.sum(q.mul(y, y))
    },
  }),
  'a recurrent network of six rounds': composed({
    weights: { x: [6, 2], h0: [3], wx: [3, 2], wh: [3, 3] },
    loss: ({ x, h0, wx, wh }) => {
      const { h } = q.loop({ h: q.reshape(h0, [1, 3]) as T }, 6, ({ h }, round) => ({
        h: q.nn.tanh(
          q.add(nn.linear(q.reshape(q.gather(x, round), [1, 2]), { weight: wx }), nn.linear(h, { weight: wh })),
        ) as T,
      }))
      return q.sum(q.mul(h, h))
    },
  }),
  'rounds until a condition ends them': composed({
    weights: { x: [3], w: [3] },
    loss: ({ x, w }) => {
      const { y } = q.loop({ y: x as T }, 20, ({ y }) => {
        const next = q.mul(q.add(y, q.mul(q.sin(y), w)), 1.3) as T
        return { y: next, while: q.less(q.sum(q.mul(next, next)), 30) }
      })
      return q.sum(q.sin(y))
    },
  }),
  'running sums, sorting and the largest': composed({
    weights: { x: [3, 5] },
    loss: ({ x }) => {
      const { values } = q.sort(q.cumsum(x, 1), { axis: 1 })
      return q.add(q.sum(q.mul(values, q.cumsum(values, 0))), q.sum(q.max(q.topK(x, 2).values, { axes: [1] })))
    },
  }),
  'the product of a Hessian and a vector': composed({
    weights: { x: [4], v: [4] },
    loss: ({ x, v }) => {
      const inner = q.grad((y: T) => q.sum(q.exp(q.mul(nn.softmax(y), q.sin(y)))))
      return q.sum(q.mul(inner(x), v))
    },
  }),
}

const modelOf = ({ weights, ints = {}, loss }: Composition, dtype: 'f32' | 'f64', gradients = true) => {
  const specs = Object.fromEntries([
    ...Object.entries(weights).map(([name, shape]) => [name, q.tensor(dtype as 'f64', shape)] as const),
    ...Object.entries(ints).map(([name, shape]) => [name, q.tensor('i32', shape)] as const),
  ])
  return q.model(specs, given => {
    const pick = <X>(names: object): Readonly<Record<string, X>> =>
      Object.fromEntries(Object.keys(names).map(name => [name, given[name] as X]))
    const f = (w: Readonly<Record<string, T>>): T => loss(w, pick<Ints>(ints))
    if (!gradients) return { value: f(pick(weights)) }
    const { value, grad } = q.valueAndGrad(f)(pick(weights))
    return { value, ...Object.fromEntries(Object.entries(grad).map(([name, g]) => [`d ${name}`, g])) }
  })
}

const inputsOf = (
  { weights, ints = {} }: Composition,
  dtype: 'f32' | 'f64',
  seed: number,
): Record<string, HostTensor> => {
  const next = generator(seed)
  return Object.fromEntries([
    ...Object.entries(weights).map(([name, shape]) => [name, tensorOf(dtype, shape, () => next() * 2 - 1)] as const),
    ...Object.entries(ints).map(([name, shape]) => [name, tensorOf('i32', shape, () => next() * 3)] as const),
  ])
}

const graphOf = (model: object) => {
  const graph = q.programOf(model).graph.entries.get('main')
  if (graph === undefined) throw new Error('no main entry')
  return graph
}
const valueIn = (results: Readonly<Record<string, HostTensor>>): number =>
  numbersOf(results['value'] as HostTensor)[0] ?? NaN

const close = (found: readonly number[], wanted: readonly number[], within: number, where: string): void => {
  expect(found.length, where).toBe(wanted.length)
  const size = Math.max(1, ...wanted.map(Math.abs))
  found.forEach((g, i) =>
    expect(Math.abs(g - (wanted[i] ?? NaN)) / size, `${where}[${i}]: ${g}, not ${wanted[i]}`).toBeLessThan(within),
  )
}

interface Runner {
  run(inputs: object): Promise<Record<string, { shape: readonly number[]; data: HostArray }>>
  report(): { readonly device: string; readonly dispatches: number }
  dispose(): Promise<void>
}
const runOn = async (device: 'wasm' | 'webgpu', model: object, inputs: Readonly<Record<string, HostTensor>>) => {
  const net = (await jit(model as ReturnType<typeof q.model>, { device, thread: 'caller' })) as unknown as Runner
  try {
    const results = await net.run(inputs)
    expect(net.report().device).toBe(device)
    if (device === 'webgpu') expect(net.report().dispatches).toBeGreaterThan(0)
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]))
  } finally {
    await net.dispose()
  }
}

describe.each(Object.entries(compositions))('%s', (_, composition) => {
  it.each([1, 2])(
    'agrees with central differences, and so on wasm (seed %i)',
    async seed => {
      const model = modelOf(composition, 'f64')
      const graph = graphOf(model)
      verifyGraph(graph)
      const inputs = inputsOf(composition, 'f64', seed)
      const found = interpretGraphSync(graph, inputs)
      const forward = graphOf(modelOf(composition, 'f64', false))
      const h = 1e-5
      for (const name of Object.keys(composition.weights)) {
        const at = inputs[name] as HostTensor
        const numbers = numbersOf(at)
        const grads = numbersOf(found[`d ${name}`] as HostTensor)
        // Not every element of the larger ones: each costs two runs.
        const some = numbers.flatMap((_, e) => (e % Math.ceil(numbers.length / 3) === 0 ? [e] : []))
        const moved = (e: number, by: number): number =>
          valueIn(
            interpretGraphSync(forward, {
              ...inputs,
              [name]: tensorOf('f64', at.shape, i => (numbers[i] ?? 0) + (i === e ? by : 0)),
            }),
          )
        const numeric = some.map(e => (moved(e, h) - moved(e, -h)) / (2 * h))
        close(
          some.map(e => grads[e] ?? NaN),
          numeric,
          1e-7,
          `d ${name}`,
        )
      }
      const compiled = await runOn('wasm', model, inputs)
      for (const [name, t] of Object.entries(found)) close(compiled[name] ?? [], numbersOf(t), 1e-10, `${name} on wasm`)
    },
    60_000,
  )
})

const software = await softwareGpu()
describe.skipIf(software === undefined)('on WebGPU', () => {
  beforeAll(() => {
    const navigator = globalThis.navigator ?? {}
    Object.defineProperty(navigator, 'gpu', { value: software?.gpu, configurable: true })
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  })
  it.each([
    'an MLP with softmax cross-entropy',
    'a block with attention',
    'a recurrent network of six rounds',
    'a condition',
  ])(
    '%s',
    async name => {
      const composition = compositions[name] as Composition
      const model = modelOf(composition, 'f32')
      const inputs = inputsOf(composition, 'f32', 3)
      const found = interpretGraphSync(graphOf(model), inputs)
      const compiled = await runOn('webgpu', model, inputs)
      for (const [output, t] of Object.entries(found)) close(compiled[output] ?? [], numbersOf(t), 1e-4, output)
    },
    60_000,
  )
})
