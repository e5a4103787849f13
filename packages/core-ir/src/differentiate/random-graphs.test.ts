/** On random small graphs of differentiable ops, what `grad` gives is what central differences give. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GraphBuilder, tensorType } from '../graph/builder.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { interpretGraphSync } from '../graph/interpret.ts'
import { printGraph } from '../graph/print.ts'
import { verifyGraph } from '../graph/verify.ts'
import type { HostTensor } from '../host-tensor.ts'
import { isConst } from '../index/index-expr.ts'
import { filled } from '../ops/calculus.ts'
import { Draw } from '../ops/testing/draw.ts'
import { generator, numbersOf, tensorOf } from '../ops/testing/support.ts'
import { parseGraph } from '../text/parse-graph.ts'
import { expandGrads } from './expand-grads.ts'

const extents = (v: Value): number[] => v.type.shape.map(d => (isConst(d) ? d.value : 1))
const rankOf = (v: Value): number => v.type.shape.length
const axisOf = (d: Draw, v: Value): number => d.int(0, rankOf(v) - 1)

/** One more value from those that there are (stop-gradient is not among these ops: differences do not stop there); every one stays within a few units of zero, so that differences are exact enough. */
type Grow = (b: GraphBuilder, d: Draw, x: Value, like: (shape: readonly number[]) => Value) => Value
const unary =
  (op: string): Grow =>
  (b, _, x) =>
    b.one(op, [x])
const tamed = (b: GraphBuilder, x: Value): Value => b.one('tanh', [x])
const positive = (b: GraphBuilder, x: Value): Value => b.one('add', [b.one('mul', [x, x]), filled(b, 0.5, x.type)])

const growers: Readonly<Record<string, Grow>> = {
  ...Object.fromEntries(
    ['neg', 'sin', 'cos', 'tanh', 'erf', 'sigmoid', 'relu', 'gelu', 'silu', 'abs', 'identity'].map(op => [
      op,
      unary(op),
    ]),
  ),
  exp: (b, _, x) => b.one('exp', [tamed(b, x)]),
  log: (b, _, x) => b.one('log', [positive(b, x)]),
  sqrt: (b, _, x) => b.one('sqrt', [positive(b, x)]),
  ...Object.fromEntries(
    ['add', 'sub', 'mul', 'min', 'max'].map((op): [string, Grow] => [
      op,
      (b, _, x, like) => tamed(b, b.one(op, [x, like(extents(x))])),
    ]),
  ),
  div: (b, _, x, like) => b.one('div', [x, positive(b, like(extents(x)))]),
  pow: (b, _, x, like) => b.one('pow', [positive(b, tamed(b, x)), tamed(b, like(extents(x)))]),
  select: (b, _, x, like) => {
    const y = like(extents(x))
    return b.one('select', [b.one('lt', [x, y]), b.one('sin', [x]), y])
  },
  transpose: (b, d, x) => {
    const perm = extents(x).map((_, i) => i)
    const [a, c] = [axisOf(d, x), axisOf(d, x)]
    ;[perm[a], perm[c]] = [perm[c] ?? 0, perm[a] ?? 0]
    return b.one('transpose', [x], { perm })
  },
  reshape: (b, _, x) => b.one('reshape', [x], { shape: [extents(x).reduce((p, n) => p * n, 1), 1] }),
  slice: (b, d, x) => {
    const sizes = extents(x).map(n => d.int(1, n))
    return b.one('slice', [x], { starts: extents(x).map((n, i) => n - (sizes[i] ?? 0)), sizes })
  },
  pad: (b, d, x) =>
    b.one('pad', [x], { low: extents(x).map(() => d.int(0, 1)), high: extents(x).map(() => d.int(0, 1)), value: 0.5 }),
  broadcast: (b, d, x) => b.one('broadcast', [x], { shape: [d.int(1, 2), ...extents(x)] }),
  concat: (b, d, x, like) => b.one('concat', [x, like(extents(x))], { axis: axisOf(d, x) }),
  gather: (b, d, x) => {
    const axis = axisOf(d, x)
    const values = Array.from({ length: d.int(1, 3) }, () => d.int(0, (extents(x)[axis] ?? 1) - 1))
    const indices = b.one('constant', [], { data: { kind: 'inline', values }, dtype: 'i32', shape: [values.length] })
    return b.one('gather', [x, indices], { axis })
  },
  ...Object.fromEntries(
    ['reduce-sum', 'reduce-max', 'reduce-min', 'reduce-prod'].map((op): [string, Grow] => [
      op,
      (b, d, x) => tamed(b, b.one(op, [x], { axes: [axisOf(d, x)], keepDims: true })),
    ]),
  ),
  ...Object.fromEntries(
    ['softmax', 'log-softmax', 'cumsum'].map((op): [string, Grow] => [
      op,
      (b, d, x) => tamed(b, b.one(op, [x], { axis: axisOf(d, x) })),
    ]),
  ),
  'layer-norm': (b, d, x) => b.one('layer-norm', [x], { axis: axisOf(d, x), epsilon: 0.1 }),
  'rms-norm': (b, d, x) => b.one('rms-norm', [x], { axis: axisOf(d, x), epsilon: 0.1 }),
  sort: (b, d, x) => b.one('sort', [x], { axis: axisOf(d, x) }),
  matmul: (b, _, x) => {
    const square = b.one('matmul', [x, x], { transposeRhs: true })
    return tamed(b, square)
  },
  if: (b, d, x, like) => {
    const y = like(extents(x))
    const branch = (name: string, ops: readonly string[]): Graph => {
      const inner = new GraphBuilder(name)
      const [p, q] = [inner.input('p', x.type), inner.input('q', x.type)]
      const z = ops.reduce((v, op) => inner.one(op, [v]), d.flag() ? inner.one('mul', [p, q]) : p)
      return inner.finish({ z })
    }
    const condition = b.one('constant', [], {
      data: { kind: 'inline', values: [d.int(0, 1)] },
      dtype: 'bool',
      shape: [],
    })
    return b.one('if', [condition, x, y], { then: branch('then', ['sin']), else: branch('else', ['cos', 'tanh']) })
  },
  loop: (b, d, x, like) => {
    const inner = new GraphBuilder('body')
    inner.input('trip', tensorType('i32', []))
    const [p, q] = [inner.input('p', x.type), inner.input('q', x.type)]
    const going = inner.one('constant', [], { data: { kind: 'inline', values: [1] }, dtype: 'bool', shape: [] })
    const next = inner.one('sin', [inner.one('add', [inner.one('mul', [p, q]), p])])
    const limit = b.one('constant', [], { data: { kind: 'inline', values: [d.int(0, 3)] }, dtype: 'i32', shape: [] })
    return b.one('loop', [limit, undefined, x, like(extents(x))], { body: inner.finish({ going, next }) })
  },
}

interface Drawn {
  readonly body: Graph
  readonly inputs: Readonly<Record<string, HostTensor>>
}

const draw = (d: Draw): Drawn => {
  const b = new GraphBuilder('body')
  const next = generator(d.int(0, 0xffff))
  const inputs: Record<string, HostTensor> = {}
  const values: Value[] = []
  for (let i = d.int(1, 3); i > 0; i--) {
    const shape = [d.int(1, 3), d.int(1, 3)]
    inputs[`x${i}`] = tensorOf('f64', shape, () => next() * 3 - 1.5)
    values.push(b.input(`x${i}`, tensorType('f64', shape)))
  }
  const total = (v: Value): Value => b.one('reduce-sum', [v], { axes: extents(v).map((_, axis) => axis) })
  // Another value of a shape: one that has it, or one number everywhere.
  const like = (shape: readonly number[]): Value => {
    const fitting = values.filter(v => extents(v).join() === shape.join())
    return fitting.length > 1
      ? d.of(...fitting)
      : b.one('broadcast', [tamed(b, total(d.of(...values)))], { shape: [...shape] })
  }
  for (let i = d.int(1, 8); i > 0; i--) {
    const grow = growers[d.of(...Object.keys(growers))]
    const x = d.of(...values)
    if (grow === undefined || extents(x).reduce((p, n) => p * n, 1) > 64 || rankOf(x) > 3) continue
    values.push(grow(b, d, x, like))
  }
  const value = values
    .slice(-3)
    .map(total)
    .reduce((sum, v) => b.one('add', [sum, v]))
  return { body: b.finish({ value }), inputs }
}

test('grad is what central differences say, and its text is read back', () => {
  let tried = 0
  fc.assert(
    fc.property(fc.gen(), gen => {
      const { body, inputs } = draw(new Draw(gen))
      const b = new GraphBuilder('main')
      const args = body.inputs.map(x => b.input(x.name, x.value.type))
      const results = b.add('grad', args, { body, wrt: args.map((_, i) => i) })
      const graph = b.finish(Object.fromEntries(results.map((r, i) => [`y${i}`, r])))
      expect(printGraph(parseGraph(printGraph(graph)))).toBe(printGraph(graph))
      const expanded = expandGrads(graph)
      verifyGraph(expanded)
      const found = interpretGraphSync(expanded, inputs)
      const value = (at: Readonly<Record<string, HostTensor>>): number =>
        numbersOf(interpretGraphSync(body, at)['value'] as HostTensor)[0] ?? NaN
      body.inputs.forEach(({ name }, i) => {
        const at = inputs[name] as HostTensor
        const gradient = numbersOf(found[`y${i + 1}`] as HostTensor)
        numbersOf(at).forEach((centre, e) => {
          const moved = (h: number): number =>
            value({
              ...inputs,
              [name]: tensorOf('f64', at.shape, k => (k === e ? centre + h : (numbersOf(at)[k] ?? 0))),
            })
          const slope = (h: number): number => (moved(h) - moved(-h)) / (2 * h)
          const [near, far] = [slope(1e-5), slope(3e-5)]
          // At a kink (a tie, a sign that changes) differences of two widths disagree, and there is no derivative to agree with.
          if (Math.abs(near - far) > 1e-6 * (1 + Math.abs(near))) return
          tried++
          const g = gradient[e] ?? NaN
          if (!(Math.abs(g - near) < 1e-5 * (1 + Math.abs(near))))
            expect.fail(`d ${name}[${e}] is ${g}, not ${near}, in\n${printGraph(body)}`)
        })
      })
    }),
    { numRuns: 100 },
  )
  expect(tried).toBeGreaterThan(200)
}, 120_000)
