/**
 * @file Runs a graph: the definition of what it means. Index notation runs element by element, loop-language semantics in
 * the loop interpreter, composites as what they decompose into, `grad` as what it expands to, control flow natively.
 */
import { type DType, QuernError } from '@quern/artifact'
import { type HostTensor, arrayOver, zeros } from '../host-tensor.ts'
import { evaluateIndex } from '../index/index-expr.ts'
import { elementsOf } from '../loop/memory.ts'
import { expandGrad } from '../differentiate/expand-grads.ts'
import { bindOperands } from '../ops/operands.ts'
import { opNamed } from '../ops/registry.ts'
import type { AnyOp } from '../ops/define-op.ts'
import { type SymbolValues, bindInputs } from './bind-symbols.ts'
import { GraphBuilder } from './builder.ts'
import { constantBytes } from './constant-bytes.ts'
import type { ConstantData, Graph, Node, TensorType, Value } from './graph.ts'
import { runCompute } from './interpret-compute.ts'
import { runLoops } from './interpret-loops.ts'
import { isGraph } from './transform.ts'

export type ConstantBytes = Extract<ConstantData, { kind: 'bytes' }>
export type Tensors = Readonly<Record<string, HostTensor>>

/** Runs a graph whose constants are at hand; `constant` gives the bytes of those that are kept elsewhere. */
export const interpretGraphSync = (
  graph: Graph,
  inputs: Tensors,
  constant: (data: ConstantBytes) => Uint8Array = noBytes,
): Record<string, HostTensor> => {
  const given = graph.inputs.map(({ name }) => (Object.hasOwn(inputs, name) ? inputs[name] : undefined))
  const results = runGraph(graph, given, { symbols: new Map(), constant })
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, at(results, i)]))
}

/** Reads the constants first, then runs. */
export const interpretGraph = async (
  graph: Graph,
  inputs: Tensors,
  context: { constant?(data: ConstantBytes): Promise<Uint8Array> | Uint8Array } = {},
): Promise<Record<string, HostTensor>> => {
  const read = new Map<ConstantBytes, Uint8Array>()
  for (const data of storedConstants(graph)) read.set(data, (await context.constant?.(data)) ?? noBytes(data))
  return interpretGraphSync(graph, inputs, data => read.get(data) ?? noBytes(data))
}

/** The constants of a graph, and of those nested in it, whose bytes are kept elsewhere. */
export const storedConstants = (graph: Graph): ReadonlySet<ConstantBytes> => {
  const found = new Set<ConstantBytes>()
  const visit = (g: Graph): void => {
    for (const node of g.nodes)
      for (const value of Object.values(node.attrs))
        if (isGraph(value)) visit(value)
        else if (isStored(value)) found.add(value)
  }
  visit(graph)
  return found
}

const isStored = (value: unknown): value is ConstantBytes =>
  typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'bytes'

const noBytes = (data: ConstantBytes): never => {
  throw new QuernError('graph/no-constant-data', `the bytes of ${data.source} at ${data.offset} are not at hand`, {
    source: data.source,
  })
}

const at = <T>(list: readonly T[], i: number): T => {
  const value = list[i]
  if (value === undefined) throw new RangeError(`no entry ${i} of ${list.length}`)
  return value
}

/** Symbols are shared with nested graphs, which see the same ones. */
interface Run {
  readonly symbols: SymbolValues
  constant(data: ConstantBytes): Uint8Array
}

const runGraph = (graph: Graph, inputs: readonly (HostTensor | undefined)[], run: Run): readonly HostTensor[] => {
  const values = new Map<Value, HostTensor>()
  bindInputs(graph, inputs, run.symbols).forEach((tensor, i) => values.set(at(graph.inputs, i).value, tensor))
  const valueOf = (v: Value): HostTensor => {
    const tensor = values.get(v)
    if (tensor === undefined)
      throw new QuernError('graph/unknown-value', `${graph.name} uses a value before it is computed`, {
        graph: graph.name,
      })
    return tensor
  }
  for (const node of graph.nodes) {
    const results = runNode(
      node,
      node.operands.map(v => v && valueOf(v)),
      graph,
      run,
    )
    node.results.forEach((r, i) => values.set(r, at(results, i)))
  }
  return graph.outputs.map(o => valueOf(o.value))
}

const runNode = (
  node: Node,
  operands: readonly (HostTensor | undefined)[],
  graph: Graph,
  run: Run,
): readonly HostTensor[] => {
  const op = opNamed(node.op)
  const types = node.results.map(r => r.type)
  const named = { op, node, operands, types, symbols: run.symbols }
  if (op.compute !== undefined) return types.map((_, result) => runCompute(named, result))
  if (op.loops !== undefined) return runLoops(named, graph.symbols)
  if (op.decompose !== undefined)
    return runGraph(
      decomposed(op, node, graph),
      operands.filter(t => t !== undefined),
      run,
    )
  const special = Object.hasOwn(natively, op.name) ? natively[op.name] : undefined
  if (special === undefined)
    throw new QuernError('graph/no-semantics', `the op ${op.name} has no semantics`, { op: op.name })
  return special(node, operands, run)
}

/** A composite as a graph of its own, over the operands that are there. */
const decomposed = (op: AnyOp, node: Node, graph: Graph): Graph => {
  const b = new GraphBuilder(op.name, graph.symbols)
  const inputs = node.operands.map((v, i) => v && b.input(`in${i}`, v.type))
  const results = op.decompose?.(b, bindOperands(op, inputs), node.attrs) ?? []
  return b.finish(Object.fromEntries(results.map((value, i) => [`out${i}`, value])))
}

type Native = (node: Node, operands: readonly (HostTensor | undefined)[], run: Run) => readonly HostTensor[]

const graphAttr = (node: Node, name: string): Graph => {
  const value = node.attrs[name]
  if (!isGraph(value)) throw new TypeError(`${node.op} has no graph ${name}`)
  return value
}
const isTrue = (t: HostTensor | undefined): boolean => t === undefined || t.data[0] !== 0

const natively: Readonly<Record<string, Native>> = {
  constant: (node, _, run) => {
    const [result] = node.results
    const data = node.attrs['data'] as ConstantData
    const type: TensorType = at(node.results, 0).type
    const shape = type.shape.map(d => evaluateIndex(d, run.symbols))
    const bytes = data.kind === 'inline' ? constantBytes(data, type.dtype, shape) : run.constant(data)
    return result === undefined ? [] : [{ dtype: type.dtype, shape, data: arrayOver(type.dtype, bytes) }]
  },
  region: (node, operands, run) => runGraph(graphAttr(node, 'body'), operands, run),
  if: (node, [condition, ...inputs], run) =>
    runGraph(graphAttr(node, isTrue(condition) ? 'then' : 'else'), inputs, run),
  grad: (node, operands, run) => {
    const body = graphAttr(node, 'body')
    const b = new GraphBuilder(body.name, body.symbols)
    const results = expandGrad(
      node,
      body.inputs.map(x => b.input(x.name, x.value.type)),
      b,
    )
    return runGraph(b.finish(Object.fromEntries(results.map((value, i) => [`out${i}`, value]))), operands, run)
  },
  loop: (node, [limit, condition, ...inputs], run) => {
    const body = graphAttr(node, 'body')
    const most = limit === undefined ? Infinity : Number(elementsOf(limit.dtype, limit.data).get(0))
    const count = body.outputs.length - 1
    let carried = inputs.slice(0, count)
    const invariant = inputs.slice(count)
    let going = isTrue(condition)
    for (let trip = 0; going && trip < most; trip++) {
      const [next, ...now] = runGraph(body, [scalarOf('i32', trip), ...carried, ...invariant], run)
      going = isTrue(next)
      carried = now
    }
    return carried.filter(x => x !== undefined)
  },
}

const scalarOf = (dtype: DType, value: number): HostTensor => {
  const tensor = zeros(dtype, [])
  elementsOf(dtype, tensor.data).set(0, value)
  return tensor
}
