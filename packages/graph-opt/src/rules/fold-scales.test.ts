/** Folding scales keeps the meaning of random chains behind every linear op, and fires under `algebraic` only. */
import {
  type Graph,
  GraphBuilder,
  type Numerics,
  type Value,
  applyRules,
  interpretGraphSync,
  ix,
  printGraph,
  tensorType,
  verifyGraph,
} from '@quern/core-ir'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decomposeComposites } from '../passes/decompose.ts'
import { foldScaleRules } from './fold-scales.ts'

const n = ix.variable('n')
const batch = new Map([['n', { name: 'n', min: 1, max: undefined, multipleOf: 1 }]])

/** Numbers in 0.5 … 2.5, so that nothing is divided by almost nothing. */
const constant = (b: GraphBuilder, shape: readonly number[], seed: number): Value =>
  b.one('constant', [], {
    data: {
      kind: 'inline',
      values: Array.from(
        { length: shape.reduce((a, d) => a * d, 1) },
        (_, i) => 0.5 + (((i + 1) * (seed + 3) * 37) % 64) / 32,
      ),
    },
    dtype: 'f64',
    shape,
  })

type Layer = 'conv' | 'depthwise' | 'conv-transpose' | 'grouped conv-transpose' | 'matmul' | 'matmul, transposed'
const layers: readonly Layer[] = [
  'conv',
  'depthwise',
  'conv-transpose',
  'grouped conv-transpose',
  'matmul',
  'matmul, transposed',
]
const window = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] }

const layerOn = (b: GraphBuilder, layer: Layer): Value => {
  const image = (channels: number): Value => b.input('x', tensorType('f64', [n, channels, 4, 4]))
  const rows = (): Value => b.input('x', tensorType('f64', [n, 5]))
  switch (layer) {
    case 'conv':
      return b.one('conv', [image(3), constant(b, [4, 3, 3, 3], 1)], window)
    case 'depthwise':
      return b.one('conv', [image(4), constant(b, [4, 1, 3, 3], 1)], { ...window, groups: 4 })
    case 'conv-transpose':
      return b.one('conv-transpose', [image(3), constant(b, [3, 4, 3, 3], 1)], {
        ...window,
        extents: [4, 4].map(ix.toIndex),
      })
    case 'grouped conv-transpose':
      return b.one('conv-transpose', [image(6), constant(b, [6, 2, 3, 3], 1)], {
        ...window,
        groups: 2,
        extents: [4, 4].map(ix.toIndex),
      })
    case 'matmul':
      return b.one('matmul', [rows(), constant(b, [5, 4], 1)])
    case 'matmul, transposed':
      return b.one('matmul', [rows(), constant(b, [4, 5], 1)], { transposeRhs: true })
  }
}

interface Step {
  readonly op: 'mul' | 'add' | 'sub' | 'div'
  readonly by: 'channel' | 'scalar' | 'ones'
  readonly first: boolean
}

const chain = (layer: Layer, steps: readonly Step[]): Graph => {
  const b = new GraphBuilder('g', batch)
  let y = layerOn(b, layer)
  const isImage = y.type.shape.length === 4
  steps.forEach(({ op, by, first }, i) => {
    const shape = by === 'scalar' ? [] : by === 'ones' ? y.type.shape.map(() => 1) : isImage ? [4, 1, 1] : [4]
    const c = b.one('broadcast', [constant(b, shape, i + 2)], { shape: y.type.shape })
    y = b.one(op, first && (op === 'mul' || op === 'add') ? [c, y] : [y, c])
  })
  return b.finish({ y })
}

const fold = (graph: Graph, numerics: Numerics = 'algebraic'): { graph: Graph; fired: readonly string[] } => {
  const { graph: result, fired } = applyRules(graph, foldScaleRules, { numerics })
  return { graph: result, fired: fired.map(f => f.rule) }
}

/** What the path from the input to the output does. */
const opsOnPath = (graph: Graph): string[] => {
  const live = new Set<Value>(graph.inputs.map(i => i.value))
  return graph.nodes.flatMap(node => {
    if (!node.operands.some(v => v !== undefined && live.has(v))) return []
    node.results.forEach(r => live.add(r))
    return [node.op]
  })
}

const step = fc.record({
  op: fc.constantFrom('mul', 'add', 'sub', 'div' as const),
  by: fc.constantFrom('channel', 'scalar', 'ones' as const),
  first: fc.boolean(),
})

test.each(layers)('behind %s: any chain becomes one bias, and means the same', layer => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), steps => {
      const before = chain(layer, steps)
      const { graph: after } = fold(before)
      verifyGraph(after)
      const [, ...rest] = opsOnPath(after)
      expect(rest.length, printGraph(after)).toBeLessThanOrEqual(1)
      expect(rest.every(op => op === 'add')).toBe(true)
      const shape = (before.inputs[0]?.value.type.shape ?? []).map(d => ix.evaluateIndex(d, new Map([['n', 2]])))
      const x = {
        dtype: 'f64' as const,
        shape,
        data: Float64Array.from({ length: shape.reduce((a, d) => a * d, 1) }, (_, i) => ((i * 29) % 17) / 8 - 1),
      }
      const [wanted, found] = [before, after].map(g => interpretGraphSync(g, { x })['y']?.data ?? [])
      wanted?.forEach((v, i) => expect(Number(found?.[i])).toBeCloseTo(Number(v), 8))
    }),
    { numRuns: 40 },
  )
})

test.each(['exact', 'ignores-signed-zero', 'reassociates'] as const)('nothing fires under %s', numerics => {
  expect(fold(chain('conv', [{ op: 'mul', by: 'channel', first: false }]), numerics).fired).toEqual([])
})

test('a result that something else needs too is not computed twice', () => {
  const b = new GraphBuilder('g', batch)
  const y = layerOn(b, 'conv')
  const scaled = b.one('mul', [y, b.one('broadcast', [constant(b, [4, 1, 1], 2)], { shape: y.type.shape })])
  expect(fold(b.finish({ y, scaled })).fired).toEqual([])
  expect(fold(b.finish({ scaled })).fired).toEqual(['fold-scale'])
})

test('what varies along another axis, and weights that are no constants, stay', () => {
  const b = new GraphBuilder('g', batch)
  const y = layerOn(b, 'conv')
  const along = b.one('mul', [y, b.one('broadcast', [constant(b, [4, 1], 2)], { shape: y.type.shape })])
  expect(fold(b.finish({ along })).fired).toEqual([])
  const c = new GraphBuilder('g', batch)
  const trained = c.one('matmul', [c.input('x', tensorType('f64', [n, 5])), c.input('w', tensorType('f64', [5, 4]))])
  const scaled = c.one('mul', [trained, c.one('broadcast', [constant(c, [4], 2)], { shape: trained.type.shape })])
  expect(fold(c.finish({ scaled })).fired).toEqual([])
})

test('batch norm behind a convolution leaves one sum', () => {
  const b = new GraphBuilder('g', batch)
  const y = layerOn(b, 'conv')
  const normal = b.one('batch-norm', [y, ...[2, 3, 4, 5].map(seed => constant(b, [4], seed))])
  const { graph, fired } = fold(decomposeComposites(b.finish({ y: b.one('relu', [normal]) }), () => false))
  expect(opsOnPath(graph)).toEqual(['conv', 'add', 'relu'])
  expect(fired).toEqual(['shift-by-difference', 'fold-scale', 'join-shifts'])
})
