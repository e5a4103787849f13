/**
 * @file Attention without a stored matrix of scores: found whatever its parts are called and however its operands lie, the same on
 * every executor, and left alone where it does not pay.
 */
import {
  type Graph,
  type GraphBuilder,
  type Value,
  interpretGraphSync,
  interpretPlan,
  ix,
  tensorType,
} from '@quern/core-ir'
import { wasmTarget } from '@quern/loop-opt'
import { describe, expect, it } from 'vitest'
import { type Make, type Sizes, expectEverywhere, graphOf, inputsOf, legal, lowered, m, n } from './everywhere.ts'

type Dims = Parameters<typeof tensorType>[1]
const f32 = (b: GraphBuilder, name: string, shape: Dims): Value => b.input(name, tensorType('f32', shape))
const spread = (b: GraphBuilder, x: Value, shape: Dims): Value =>
  b.one('broadcast', [x], { shape: shape.map(d => ix.toIndex(d)) })
const scalar = (b: GraphBuilder, value: number, like: Value): Value =>
  spread(
    b,
    b.one('constant', [], { data: { kind: 'inline', values: [value] }, dtype: 'f32', shape: [] }),
    like.type.shape,
  )

/** By the ops that it is made of. */
const softmaxInParts = (b: GraphBuilder, x: Value): Value => {
  const axes = [x.type.shape.length - 1]
  const most = spread(b, b.one('reduce-max', [x], { axes, keepDims: true }), x.type.shape)
  const e = b.one('exp', [b.one('sub', [x, most])])
  return b.one('div', [e, spread(b, b.one('reduce-sum', [e], { axes, keepDims: true }), x.type.shape)])
}
const softmax = (b: GraphBuilder, x: Value): Value => b.one('softmax', [x])

interface Kind {
  readonly rows?: Dims[number]
  readonly columns?: Dims[number]
  readonly soften?: (b: GraphBuilder, x: Value) => Value
  readonly mask?: (b: GraphBuilder, x: Value) => Value
}

const scaled = (b: GraphBuilder, x: Value, by = 0.375): Value => b.one('mul', [x, scalar(b, by, x)])

/** Batch dims first, keys not transposed. */
const attention =
  (
    batch: readonly number[],
    each: number,
    { rows = n, columns = m, soften = softmax, mask = (_, x) => x }: Kind = {},
  ): Make =>
  b => {
    const q = f32(b, 'q', [...batch, rows, each])
    const k = f32(b, 'k', [...batch, columns, each])
    const v = f32(b, 'v', [...batch, columns, each])
    const scores = mask(b, scaled(b, b.one('matmul', [q, k], { transposeRhs: true })))
    return b.one('matmul', [soften(b, scores), v])
  }

/** One row of queries, keys and values side by side for each token; heads are cut and turned. */
const encoder =
  (heads: number, each: number, rows: Dims[number], batch: readonly number[] = []): Make =>
  b => {
    const r = batch.length
    const x = f32(b, 'x', [...batch, rows, 3 * heads, each])
    const whole = x.type.shape
    const turn = [...batch.map((_, i) => i), r + 1, r, r + 2]
    const part = (at: number): Value => {
      const starts = whole.map((_, i) => (i === r + 1 ? at * heads : 0))
      const cut = b.one('slice', [x], { starts, sizes: whole.map((d, i) => (i === r + 1 ? ix.constant(heads) : d)) })
      return b.one('transpose', [cut], { perm: turn })
    }
    const scores = scaled(b, b.one('matmul', [part(0), part(1)], { transposeRhs: true }))
    return b.one('transpose', [b.one('matmul', [softmax(b, scores), part(2)])], { perm: turn })
  }

/** Each token sees itself and those before. */
const causal = (b: GraphBuilder, x: Value): Value => {
  const { shape } = x.type
  const two = shape.slice(-2)
  const at = (axis: number): Value => b.one('iota', [], { shape: two, axis })
  const seen = spread(b, b.one('le', [at(1), at(0)]), shape)
  return b.one('select', [seen, x, scalar(b, -Infinity, x)])
}

/** A mask of tokens that are there, given as numbers to add. */
const added = (b: GraphBuilder, x: Value): Value => {
  const { shape } = x.type
  const bias = f32(b, 'bias', shape.slice(-2))
  return b.one('add', [x, spread(b, bias, shape)])
}

const bounded = (graph: Graph, most: number): Graph => ({
  ...graph,
  symbols: new Map([...graph.symbols].map(([name, s]) => [name, { ...s, max: most }])),
})

const fuses = (text: string): void => {
  expect(text.match(/^kernel /gm)).toHaveLength(1)
  expect(text).toMatch(/^kernel attention/m)
}

/** Sums are as long as rows, in other orders than the interpreter's. */
const tolerance = 3e-6
const around = [1, 4, 7, 16, 45]
const sizes: readonly Sizes[] = around.map((size, i) => ({ n: size, m: around[(i * 3 + 2) % around.length] ?? 5 }))

describe('means the same, in one kernel', () => {
  it.each<[string, Make, readonly Sizes[]]>([
    ['heads of constant size', attention([3], 8, { rows: 32, columns: 24 }), [{}]],
    ['rows and columns that no tile divides', attention([2], 12, { rows: 37, columns: 29 }), [{}]],
    ['rows that are one block', attention([2], 8, { rows: 11, columns: 40 }), [{}]],
    ['symbolic rows and columns', attention([3], 8), sizes],
    ['two batch dims', attention([2, 3], 4, { columns: 20 }), sizes],
    ['one head', attention([], 16), sizes],
    ['by the ops that softmax is made of', attention([2], 8, { soften: softmaxInParts }), sizes],
    ['a mask that is added', attention([2], 8, { mask: added }), sizes],
    ['causal', attention([2], 8, { rows: n, columns: n, mask: causal }), sizes],
    ['a wide row of parts', encoder(3, 8, 40), [{}]],
    ['a wide row of parts, symbolic', encoder(3, 8, n), sizes],
    ['batches of wide rows', encoder(2, 8, n, [3]), sizes],
  ])('%s', async (_, make, at) => {
    const graph = bounded(graphOf(make, 1), 512)
    const { wasm, team } = await expectEverywhere(graph, { sizes: at, tolerance, webgpu: false })
    fuses(wasm)
    fuses(team)
  })

  it.each([
    ['symbolic', {}],
    ['with a rest', { rows: 75, columns: 600 }],
    ['one block', { rows: 13, columns: 40 }],
  ])('is made of blocks with fused products too: %s', (_, kind) => {
    const graph = bounded(graphOf(attention([2], 8, kind), 1), 512)
    const target = wasmTarget({ relaxedSimd: true })
    const { traces } = lowered(graph, target)
    expect(traces.get('attention')?.map(a => a.primitive)).toContain('fission')
    const inputs = inputsOf(graph, { n: 45, m: 70 })
    const { outputs } = interpretPlan(legal(lowered(graph, target)), 'main', inputs)
    const want = interpretGraphSync(graph, inputs)['y0']?.data ?? []
    Array.from(want, Number).forEach((x, i) => expect(Number(outputs['y0']?.data[i])).toBeCloseTo(x, 5))
  })

  it('heads that share keys and values', async () => {
    const make: Make = b => {
      const q = f32(b, 'q', [2, 3, n, 8])
      const [k, v] = ['k', 'v'].map(name => f32(b, name, [2, 1, m, 8])) as [Value, Value]
      return b.one('matmul', [softmax(b, b.one('matmul', [q, k], { transposeRhs: true })), v])
    }
    fuses((await expectEverywhere(bounded(graphOf(make, 1), 256), { sizes, tolerance, webgpu: false })).wasm)
  })

  it('scores that need no scale, values that something is added to', async () => {
    const make: Make = b => {
      const x = f32(b, 'x', [2, n, 8])
      const mixed = b.one('matmul', [softmax(b, b.one('matmul', [x, x], { transposeRhs: true })), x])
      return b.one('add', [mixed, x])
    }
    fuses((await expectEverywhere(bounded(graphOf(make, 1), 256), { sizes, tolerance, webgpu: false })).wasm)
  })
})

it('stays three kernels on WebGPU, and means the same', async () => {
  const graph = bounded(graphOf(encoder(2, 4, n), 1), 64)
  const { webgpu } = await expectEverywhere(graph, { sizes: [{ n: 7 }, { n: 20 }], tolerance })
  expect(webgpu).not.toContain('kernel attention')
})
