import { type DType, dtypes, isQuernError } from '@quern/artifact'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bindOperands } from '../ops/operands.ts'
import { completeAttrs } from '../graph/builder.ts'
import type { Span } from '../diagnostics/span.ts'
import type { AttrValue, Attrs, ConstantData, Graph, Node, SymbolInfo, TensorType, Value } from '../graph/graph.ts'
import { printAttr, printGraph } from '../graph/print.ts'
import { isGraph } from '../graph/transform.ts'
import {
  type Index,
  add,
  constant,
  floorDiv,
  fromScalar,
  max,
  min,
  mod,
  mul,
  sub,
  variable,
} from '../index/index-expr.ts'
import { printIndex } from '../index/print.ts'
import type { AxisTag, BufferDecl, Kernel, Param, Stmt } from '../loop/kernel.ts'
import { printKernel } from '../loop/print.ts'
import type { AttrKind } from '../ops/define-op.ts'
import { ops } from '../ops/registry.ts'
import type { Plan, PlanBuffer, Step } from '../plan/plan.ts'
import { printLowered, printPlan } from '../plan/print.ts'
import { printScalar } from '../scalar/print.ts'
import { type BinaryOp, type UnaryOp, binaryOps, unaryOps } from '../scalar/scalar-ops.ts'
import {
  type Scalar,
  binary,
  bitcast,
  cast,
  indexScalar,
  intrinsic,
  literal,
  load,
  reduce,
  reducers,
  ref,
  select,
  unary,
} from '../scalar/scalar.ts'
import { parseGraph } from './parse-graph.ts'
import { parseIndex } from './parse-index.ts'
import { parseKernel } from './parse-kernel.ts'
import { parseLowered, parsePlan } from './parse-plan.ts'
import { parseScalar } from './parse-scalar.ts'

const runs = { numRuns: 300 }
/** Words, keywords, dtypes, and names that need quotes. */
const word = fc.constantFrom(
  'x',
  'y0',
  'acc_i',
  '$k0',
  'min',
  'value',
  'select',
  'sum',
  'for',
  'steps',
  'return',
  'buffer',
  'while',
  'parallel',
  'f32',
  'true',
  'nan',
  'inf',
  'reduce',
  'bitcast',
  'null',
)
const name = fc.oneof(
  word,
  fc.constantFrom('state:cache', 'a/b.1', '0', '', 'é "q"\\', '// no'),
  fc.string({ maxLength: 6 }),
)
const dtype = fc.constantFrom(...dtypes)
const span: fc.Arbitrary<Span> = fc.record(
  {
    file: fc.oneof(
      fc.constantFrom('m.ts', 'my file.ts', 'a:1:2', '"q"', ' s '),
      fc.string({ minLength: 1, maxLength: 5 }),
    ),
    line: fc.nat(99),
    column: fc.nat(99),
    length: fc.nat(9),
    name,
  },
  { requiredKeys: ['file', 'line', 'column'] },
)

const { index, scalar } = fc.letrec<{ index: Index; scalar: Scalar }>(tie => {
  const small = fc.integer({ min: -9, max: 9 })
  const positive = fc.integer({ min: 1, max: 9 }).map(constant)
  const pair = fc.tuple(tie('index'), tie('index'))
  const two = fc.tuple(tie('scalar'), tie('scalar'))
  return {
    index: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      // Keys of indices hold names as they are, so these are words.
      word.map(variable),
      small.map(constant),
      pair.map(([a, b]) => add(a, b)),
      pair.map(([a, b]) => sub(a, b)),
      pair.map(([a, b]) => mul(a, b)),
      pair.map(([a, b]) => min(a, b)),
      pair.map(([a, b]) => max(a, b)),
      fc.tuple(tie('index'), fc.oneof(positive, word.map(variable))).map(([a, b]) => floorDiv(a, b)),
      fc.tuple(tie('index'), fc.oneof(positive, word.map(variable))).map(([a, b]) => mod(a, b)),
      tie('scalar').map(s => fromScalar(s)),
    ),
    scalar: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.tuple(name, dtype).map(([n, d]) => ref(n, d)),
      fc.tuple(fc.double(), fc.constantFrom('f32', 'f64', 'f16' as const)).map(([v, d]) => literal(v, d)),
      fc.tuple(fc.integer(), fc.constantFrom('i32', 'u32', 'i8', 'f32' as const)).map(([v, d]) => literal(v, d)),
      fc
        .tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom('i64', 'u64' as const))
        .map(([v, d]) => literal(v, d)),
      fc.boolean().map(v => literal(v, 'bool')),
      fc.tuple(tie('index'), fc.constantFrom('i32', 'i64' as const)).map(([i, d]) => indexScalar(i, d)),
      fc.tuple(name, dtype, fc.array(tie('index'), { maxLength: 3 })).map(([n, d, i]) => load(n, d, i)),
      fc
        .tuple(name, tie('scalar'), tie('scalar'), fc.array(tie('index'), { maxLength: 2 }))
        .map(([n, guard, fill, i]) => load(n, fill.dtype, i, { guard, fill })),
      fc.tuple(fc.constantFrom(...(Object.keys(unaryOps) as UnaryOp[])), tie('scalar')).map(([op, x]) => unary(op, x)),
      fc
        .tuple(fc.constantFrom(...(Object.keys(binaryOps) as BinaryOp[])), two)
        .map(([op, [x, y]]) => binary(op, x, cast(y, x.dtype))),
      fc.tuple(tie('scalar'), two).map(([c, [x, y]]) => select(cast(c, 'bool'), x, cast(y, x.dtype))),
      fc.tuple(tie('scalar'), dtype).map(([x, d]) => cast(x, d)),
      fc.tuple(tie('scalar'), dtype).map(([x, d]) => bitcast(x, d)),
      fc.tuple(name, dtype, fc.array(tie('scalar'), { maxLength: 3 })).map(([n, d, xs]) => intrinsic(n, d, xs)),
      fc
        .tuple(
          fc.constantFrom(...reducers),
          fc.array(fc.record({ name, extent: tie('index') }), { minLength: 1, maxLength: 2 }),
          tie('scalar'),
          dtype,
        )
        .map(([r, axes, body, d]) => reduce(r, axes, body, d)),
    ),
  }
})

test('indices', () => {
  fc.assert(
    fc.property(index, x => void expect(parseIndex(printIndex(x))).toEqual(x)),
    runs,
  )
})

test('scalars', () => {
  fc.assert(
    fc.property(scalar, x => void expect(parseScalar(printScalar(x))).toEqual(x)),
    runs,
  )
})

const shape = fc.array(index, { maxLength: 3 })
const decl: fc.Arbitrary<BufferDecl> = fc.record(
  { name, dtype, shape, strides: shape, offset: index },
  { requiredKeys: ['name', 'dtype', 'shape'] },
)
const tags: readonly AxisTag[] = [
  'serial',
  'unroll',
  'vector',
  'parallel',
  'workgroup.x',
  'workgroup.z',
  'thread.x',
  'thread.y',
]
const { block } = fc.letrec<{ block: Stmt[]; stmt: Stmt }>(tie => ({
  block: fc.array(tie('stmt'), { maxLength: 3, depthIdentifier: 'stmts' }),
  stmt: fc.oneof(
    { depthSize: 'small', depthIdentifier: 'stmts' },
    fc.constant<Stmt>({ kind: 'barrier' }),
    fc.record({
      kind: fc.constant('alloc' as const),
      space: fc.constantFrom('register', 'shared', 'private' as const),
      buffer: decl,
    }),
    fc.record({ kind: fc.constant('let' as const), name, value: scalar }),
    fc.record({ kind: fc.constant('store' as const), buffer: name, indices: shape, value: scalar }),
    fc.record({
      kind: fc.constant('accumulate' as const),
      buffer: name,
      indices: shape,
      reducer: fc.constantFrom('sum', 'prod', 'max', 'min', 'any', 'all' as const),
      value: scalar,
    }),
    fc.record({
      kind: fc.constant('fail' as const),
      reason: fc.constantFrom('index-out-of-range', 'loop-limit' as const),
      at: index,
    }),
    fc.record({
      kind: fc.constant('for' as const),
      axis: name,
      extent: index,
      tag: fc.constantFrom(...tags),
      body: tie('block'),
    }),
    fc.record({ kind: fc.constant('if' as const), condition: scalar, then: tie('block'), else: tie('block') }),
  ),
}))
const bounds = fc.record({
  name: word,
  min: fc.integer({ min: -5, max: 5 }),
  max: fc.option(fc.integer({ min: -5, max: 99 }), { nil: undefined }),
})
const param: fc.Arbitrary<Param> = fc
  .tuple(decl, fc.constantFrom('read', 'write', 'read_write' as const))
  .map(([d, access]) => ({ ...d, access }))
const kernel: fc.Arbitrary<Kernel> = fc.record({
  name,
  symbols: fc.array(bounds, { maxLength: 2 }),
  params: fc.array(param, { maxLength: 3 }),
  body: block,
  origins: fc.array(span, { maxLength: 2 }),
})

test('kernels, even those that no verifier would pass', () => {
  fc.assert(
    fc.property(kernel, x => void expect(parseKernel(printKernel(x))).toEqual(x)),
    runs,
  )
})

const symbol: fc.Arbitrary<SymbolInfo> = fc
  .tuple(bounds, fc.integer({ min: 1, max: 9 }), fc.option(index, { nil: undefined }))
  .map(([b, multipleOf, upper]) => ({ ...b, multipleOf, ...(upper !== undefined && { upper }) }))
const constantData: fc.Arbitrary<ConstantData> = fc.oneof(
  fc.record({
    kind: fc.constant('inline' as const),
    values: fc.array(fc.oneof(fc.double(), fc.bigInt()), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('bytes' as const), source: name, offset: fc.nat(), length: fc.nat(), hash: name }),
)

const planBuffer: fc.Arbitrary<PlanBuffer> = fc.record(
  {
    name,
    kind: fc.constantFrom('input', 'output', 'constant', 'state', 'scratch' as const),
    dtype,
    shape,
    layout: fc.record({ map: shape, shape, strides: shape, offset: index }, { requiredKeys: ['map', 'shape'] }),
    data: constantData,
    aliasOf: name,
    port: name,
  },
  { requiredKeys: ['name', 'kind', 'dtype', 'shape', 'layout'] },
)
const { steps } = fc.letrec<{ steps: Step[]; step: Step }>(tie => ({
  steps: fc.array(tie('step'), { maxLength: 3, depthIdentifier: 'steps' }),
  step: fc.oneof(
    { depthSize: 'small', depthIdentifier: 'steps' },
    fc.record({ kind: fc.constant('kernel' as const), kernel: name, args: fc.array(name, { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('copy' as const), from: name, to: name }),
    fc.record({ kind: fc.constant('define' as const), symbol: name, from: name }),
    fc.record({ kind: fc.constant('if' as const), condition: name, then: tie('steps'), else: tie('steps') }),
    fc.record({
      kind: fc.constant('loop' as const),
      counter: name,
      body: tie('steps'),
      limit: fc.oneof(index, name, fc.constant(undefined)),
      condition: fc.option(name, { nil: undefined }),
    }),
  ),
}))
const memory = fc
  .record({
    slots: fc.uniqueArray(fc.record({ name, bytes: index, offset: index, tenants: fc.array(name, { maxLength: 3 }) }), {
      selector: s => s.name,
      maxLength: 3,
    }),
    others: fc.array(fc.tuple(name, name), { maxLength: 2 }),
    peak: index,
    lowerBound: index,
  })
  .map(({ slots, others, peak, lowerBound }) => {
    const tenants = new Map(slots.flatMap(s => s.tenants.map(t => [t, s.name] as const)))
    return { slots, peak, lowerBound, slotOf: new Map([...others.filter(([b]) => !tenants.has(b)), ...tenants]) }
  })
const plan: fc.Arbitrary<Plan> = fc.record({
  entry: name,
  symbols: fc.array(symbol, { maxLength: 2 }),
  buffers: fc.array(planBuffer, { maxLength: 3 }),
  steps,
  memory: fc.option(memory, { nil: undefined }),
})

test('plans', () => {
  fc.assert(
    fc.property(plan, x => void expect(parsePlan(printPlan(x))).toEqual(x)),
    runs,
  )
})

test('lowered programs', () => {
  const program = fc.record({
    name,
    kernels: fc.array(kernel, { maxLength: 2 }).map(ks => new Map(ks.map(k => [k.name, k]))),
    plans: fc.array(plan, { maxLength: 2 }),
  })
  fc.assert(
    fc.property(program, x => void expect(parseLowered(printLowered(x))).toEqual(x)),
    { numRuns: 50 },
  )
})

/** Graphs of any op with any operands and attributes: the text form asks for no meaning. */
const graphOf = (depth: number): fc.Arbitrary<Graph> =>
  fc.gen().map(g => {
    const pick = <T>(from: readonly T[]): T => g(() => fc.constantFrom(...from))
    const symbols = new Map(g(() => fc.array(symbol, { minLength: 1, maxLength: 2 })).map(s => [s.name, s]))
    const dims = (): Index[] =>
      g(() =>
        fc.array(
          fc.oneof(
            fc.nat(9).map(constant),
            fc.constantFrom(...symbols.keys()).map(n => add(variable(n), 1)),
          ),
          { maxLength: 3 },
        ),
      )
    const type = (): TensorType => ({ dtype: pick<DType>(dtypes), shape: dims() })
    const values: Value[] = []
    const named = (): string | undefined => g(() => fc.option(name, { nil: undefined }))
    const inputs = g(() => fc.uniqueArray(name, { maxLength: 3 })).map((port, i) => {
      const value: Value = { type: type(), node: undefined, index: i, name: named() }
      values.push(value)
      return { name: port, value }
    })
    const nodes = Array.from({ length: g(() => fc.nat(4)) }).flatMap((): Node[] => {
      const op = pick([...ops.values()])
      // Defaults may look at the operands, so there are as many as the op wants.
      if (values.length === 0 && op.operands.some(o => !o.endsWith('?'))) return []
      const operands = op.operands.flatMap(o => {
        if (o.startsWith('...'))
          return Array.from({ length: g(() => fc.integer({ min: 1, max: 2 })) }, () => pick(values))
        return o.endsWith('?') && (values.length === 0 || g(() => fc.boolean())) ? [undefined] : [pick(values)]
      })
      const drawn = Object.fromEntries(
        Object.entries(op.attrs).map(([key, spec]) => [key, g(() => attr(spec.kind, depth))]),
      )
      // Parsing makes attributes canonical; that is idempotent for those that mean something.
      const complete = (from: Attrs): Attrs =>
        completeAttrs(
          op,
          bindOperands(
            op,
            operands.map(v => v?.type),
          ),
          from,
        )
      const attrs = complete(drawn)
      if (printed(complete(attrs)) !== printed(attrs)) return []
      const results: Value[] = []
      const node: Node = { op: op.name, operands, attrs, results, origin: g(() => fc.option(span, { nil: undefined })) }
      for (let i = g(() => fc.integer({ min: 1, max: 3 })); i > 0; i--)
        results.push({ type: type(), node, index: results.length, name: named() })
      values.push(...results)
      return [node]
    })
    const outputs =
      values.length === 0
        ? []
        : g(() => fc.array(name, { maxLength: 2 })).map(output => ({ name: output, value: pick(values) }))
    return { kind: 'graph', name: g(() => name), inputs, nodes, outputs, symbols }
  })
const printed = (attrs: Attrs): string =>
  Object.entries(attrs)
    .map(([k, v]) => `${k}=${printAttr(v)}`)
    .join()
const attr = (kind: AttrKind, depth: number): fc.Arbitrary<AttrValue> => {
  switch (kind) {
    case 'int':
      return fc.integer()
    case 'ints':
      return fc.array(fc.integer({ min: -3, max: 9 }), { maxLength: 3 })
    case 'float':
      return fc.double()
    case 'bool':
      return fc.boolean()
    case 'string':
      return name
    case 'strings':
      return fc.array(name, { maxLength: 3 })
    case 'dtype':
      return dtype
    case 'dim':
      return index
    case 'dims':
      return shape
    case 'constant':
      return constantData
    case 'graph':
      return depth > 0 ? graphOf(depth - 1) : fc.constant(null)
  }
}

/** A graph as a tree: values by position, so that a difference can be shown. */
const flat = (graph: Graph): unknown => {
  const ids = new Map<Value, string>()
  graph.inputs.forEach(i => ids.set(i.value, `input ${i.value.index}`))
  graph.nodes.forEach((n, at) => n.results.forEach(r => ids.set(r, `${at}.${r.index} ${r.node === n}`)))
  const value = (v: Value | undefined) => v && { id: ids.get(v), type: v.type, name: v.name }
  return {
    ...graph,
    inputs: graph.inputs.map(i => ({ name: i.name, value: value(i.value) })),
    outputs: graph.outputs.map(o => ({ name: o.name, value: value(o.value) })),
    nodes: graph.nodes.map(n => ({
      ...n,
      operands: n.operands.map(value),
      results: n.results.map(value),
      attrs: Object.fromEntries(Object.entries(n.attrs).map(([k, a]) => [k, isGraph(a) ? flat(a) : a])),
    })),
  }
}

test('graphs, with symbols, origins and nested graphs', () => {
  fc.assert(
    fc.property(
      graphOf(2).map(g => ({ g, toString: () => printGraph(g) })),
      ({ g }) => {
        expect(flat(parseGraph(printGraph(g)))).toEqual(flat(g))
      },
    ),
    // Shrinking a graph takes minutes; the text says enough.
    { numRuns: 200, endOnFailure: true },
  )
})

/** Text with a few of its pieces removed, doubled or replaced. */
const damaged = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      text,
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.nat(12),
          fc.constantFrom('', '{', '}', '(', '"', '9', '9007199254740991*', '//', '%', ' : ', 'f32[', 'graph g(', '\n'),
        ),
        { maxLength: 3 },
      ),
    )
    .map(([t, edits]) =>
      edits.reduce(
        (now, [at, length, insert]) =>
          now.slice(0, at % (now.length + 1)) + insert + now.slice((at % (now.length + 1)) + length),
        t,
      ),
    )

test.each([
  ['graphs', parseGraph, graphOf(1).map(printGraph)],
  ['kernels', parseKernel, kernel.map(printKernel)],
  ['plans', parsePlan, plan.map(printPlan)],
  ['scalars', parseScalar, scalar.map(x => printScalar(x))],
  ['anything', parseLowered, fc.string()],
] as const)('damaged %s give an error with a place, or nothing worse', (_, parse, text) => {
  fc.assert(
    fc.property(damaged(text), source => {
      try {
        parse(source)
      } catch (error) {
        expect(isQuernError(error) && typeof error.details['line'] === 'number' ? undefined : error).toBeUndefined()
      }
    }),
    { numRuns: 200, endOnFailure: true },
  )
})

test('nesting without end is refused, not a crash', () => {
  expect(() => parseScalar('('.repeat(200_000))).toThrow(expect.objectContaining({ code: 'text/syntax' }))
})
