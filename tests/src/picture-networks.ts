/**
 * @file Random small networks over pictures (convolutions, pools, residuals, joined channels), compiled with layouts drawn for
 * each value, against the interpreter.
 */
import type { DeviceKind } from '@quern/artifact'
import { compile } from '@quern/compiler'
import { type Graph, GraphBuilder, type Value, interpretGraphSync, ix, printGraph } from '@quern/core-ir'
import { expect } from 'vitest'
import type { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { numbersOf, randomTensor } from '../../packages/core-ir/src/ops/testing/support.ts'
import { differenceOf, runGraph } from './run-graph.ts'

const batchSymbol = 'n'
const channelCounts = [1, 3, 4, 5, 8, 12, 16, 18]

class Network {
  private readonly d: Draw
  private readonly b: GraphBuilder
  readonly values: Value[]
  constructor(d: Draw, b: GraphBuilder, x: Value) {
    this.d = d
    this.b = b
    this.values = [x]
  }
  private constant(shape: readonly number[]): Value {
    const { data } = randomTensor('f32', shape, this.d.int(0, 0xffff))
    // Sums of many products stay small.
    const values = [...data].map(v => Math.round(Number(v) * 8) / 64)
    return this.b.one('constant', [], { data: { kind: 'inline', values }, dtype: 'f32', shape })
  }
  private extent(v: Value, d: number): number {
    const extent = v.type.shape[d]
    return extent !== undefined && ix.isConst(extent) ? extent.value : 1
  }
  private convolution(x: Value, own: boolean): Value | undefined {
    const k = this.d.of(1, 1, 3, 3, 5),
      pad = this.d.of(0, k >> 1),
      stride = this.d.of(1, 1, 2)
    if ([2, 3].some(d => this.extent(x, d) + 2 * pad < k)) return undefined
    const from = this.extent(x, 1),
      to = own ? from : this.d.of(...channelCounts)
    const weight = this.constant([to, own ? 1 : from, k, k])
    const y = this.b.one('conv', [x, weight], {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      groups: own ? from : 1,
    })
    if (this.d.flag()) return y
    const bias = this.b.one('broadcast', [this.constant([to, 1, 1])], { shape: y.type.shape })
    return this.b.one('relu', [this.b.one('add', [y, bias])])
  }
  private pool(x: Value): Value | undefined {
    const k = this.d.of(2, 3)
    if ([2, 3].some(d => this.extent(x, d) < k)) return undefined
    return this.b.one(this.d.of('max-pool', 'avg-pool'), [x], { kernel: [k, k], strides: [this.d.of(1, 2), 1] })
  }
  private sameShape(x: Value): Value {
    const key = (v: Value): string => v.type.shape.map(e => e.key).join()
    return this.d.of(...this.values.filter(v => key(v) === key(x)))
  }
  step(): void {
    const x = this.d.of(...this.values.slice(-2))
    const made = [
      () => this.convolution(x, false),
      () => this.convolution(x, false),
      () => this.convolution(x, true),
      () => this.convolution(x, true),
      () => this.pool(x),
      () => this.b.one('add', [x, this.sameShape(x)]),
      () => this.b.one('concat', [x, this.sameShape(x)], { axis: 1 }),
      () => this.b.one('sigmoid', [x]),
    ]
    const y = this.d.of(...made)()
    if (y !== undefined) this.values.push(y)
  }
}

const network = (d: Draw, symbolic: boolean): Graph => {
  const b = new GraphBuilder(
    'pictures',
    symbolic ? new Map([[batchSymbol, { name: batchSymbol, min: 0, multipleOf: 1 }]]) : new Map(),
  )
  const shape = [
    symbolic ? ix.variable(batchSymbol) : ix.constant(d.of(1, 2)),
    d.of(3, 4, 8),
    d.of(4, 5, 7, 8),
    d.of(4, 5, 7, 8, 13),
  ]
  const x = b.input('x', { dtype: 'f32', shape: shape.map(ix.toIndex) })
  const net = new Network(d, b, x)
  for (let i = d.int(2, 6); i > 0; i--) net.step()
  const last = net.values.at(-1) ?? x
  const y = d.flag() ? last : b.one('reduce-sum', [last], { axes: [2, 3], keepDims: false })
  return b.finish({ y: y === x ? b.one('neg', [x]) : y })
}

/** Row-major, channels last, channels in blocks (full or not), or any order of the dims. */
const drawnDims = (d: Draw, rank: number): string => {
  const spatial = Array.from({ length: rank - 2 }, (_, i) => `d${i + 2}`)
  const by = d.of(2, 4, 8)
  switch (d.int(0, 4)) {
    case 0:
      return ''
    case 1:
    case 2:
      return ['d0', ...spatial, 'd1'].join(', ')
    case 3:
      return ['d0', `d1 // ${by}`, ...spatial, `d1 % ${by}`].join(', ')
    default: {
      const dims = Array.from({ length: rank }, (_, i) => `d${i}`)
      for (let i = rank - 1; i > 0; i--) {
        const j = d.int(0, i)
        ;[dims[i], dims[j]] = [dims[j] ?? '', dims[i] ?? '']
      }
      return dims.join(', ')
    }
  }
}

export const expectLaidOut = async (device: DeviceKind, d: Draw, threads = 1): Promise<void> => {
  const symbolic = d.flag()
  const graph = network(d, symbolic)
  let listed = ''
  const program = { name: 'one', entries: new Map([['main', graph]]), states: [], sources: new Map() }
  await compile(program, device, {
    onStage: (stage, text) => {
      if (stage === 'layouts') listed = text
    },
  })
  const names = [...listed.matchAll(/^(%\S+):/gm)].map(([, name]) => name ?? '')
  const layouts = d.int(0, 3) === 0 ? '' : names.map(name => `${name}: ${drawnDims(d, 4)}`).join('\n')
  const text = `${layouts === '' ? listed : layouts}\n${printGraph(graph)}`
  const x = graph.inputs[0]?.value.type.shape ?? []
  const given = (symbolic ? [1, 3] : [1]).map(n => ({
    x: randomTensor(
      'f32',
      x.map(e => (ix.isConst(e) ? e.value : n)),
      d.int(0, 0xffff),
    ),
  }))
  const found = await runGraph(device, graph, given, threads, layouts === '' ? {} : { layouts }).catch(
    (cause: unknown) => {
      throw new Error(text, { cause })
    },
  )
  given.forEach((tensors, i) => {
    const wanted = interpretGraphSync(graph, tensors)['y']
    const scale = wanted === undefined ? 1 : numbersOf(wanted).reduce((most, v) => Math.max(most, Math.abs(v)), 1)
    const wrong = wanted && differenceOf('y', found[i]?.['y'], wanted, scale)
    if (wrong !== undefined) expect.fail(`run ${i}: ${wrong}\n${text}`)
  })
}
