/** @file A graph's nodes as steps of a plan: every region becomes kernels, reshapes become views, control flow nests. */
import {
  type Graph,
  GraphBuilder,
  type Node,
  type PhysicalDim,
  type Scalar,
  type Step,
  type Value,
  isGraph,
  isPlain,
  layoutOfDims,
  ix,
  opNamed,
  parsePhysicalDims,
  scalar as sc,
} from '@quern/core-ir'
import { hintOf, identifier } from '../lower/expand.ts'
import { flattenBody } from '../lower/flatten.ts'
import { lowerRegion } from '../lower/lower-region.ts'
import { lowerIf, lowerLoop } from './control.ts'
import type { PlanOptions } from './build-plan.ts'
import { type PlanBuilder, renameKernel } from './plan-builder.ts'

/** Where a value is: in a buffer, or an expression over symbols that its users write into their kernels. */
export type Place =
  /** `dims`: where its elements lie, where that is not row-major. */
  | { readonly kind: 'buffer'; readonly name: string; readonly dims?: readonly PhysicalDim[] }
  | { readonly kind: 'literal'; readonly scalar: Scalar }

export interface GraphScope {
  readonly plan: PlanBuilder
  readonly limits: PlanOptions
  readonly steps: Step[]
  readonly places: Map<Value, Place>
  /** Buffers that a value is to be written into. */
  readonly homes: Map<Value, string>
  /** Starts the name of every buffer of a nested graph. */
  readonly prefix: string
}

export const bufferPlace = (name: string, dims?: readonly PhysicalDim[]): Place => ({
  kind: 'buffer',
  name,
  ...(dims !== undefined && { dims }),
})

/** The literal of a constant: one value, or the same one throughout. */
export const literalOf = (node: Node): Scalar | undefined => {
  const { data } = node.attrs
  const [result] = node.results
  if (node.op !== 'constant' || result === undefined || !isInline(data)) return undefined
  const [first] = data.values
  if (first === undefined || !data.values.every(v => Object.is(v, first))) return undefined
  return sc.literal(first, result.type.dtype)
}
const isInline = (data: unknown): data is { kind: 'inline'; values: readonly (number | bigint)[] } =>
  typeof data === 'object' && data !== null && (data as { kind?: unknown }).kind === 'inline'
const isBytes = (
  data: unknown,
): data is { kind: 'bytes'; source: string; offset: number; length: number; hash: string } =>
  typeof data === 'object' && data !== null && (data as { kind?: unknown }).kind === 'bytes'

/** Appends the steps of a graph whose inputs have places already. */
export const lowerGraph = (graph: Graph, scope: GraphScope): void => {
  for (const s of graph.symbols.values()) scope.plan.symbols.set(s.name, scope.plan.symbols.get(s.name) ?? s)
  for (const node of graph.nodes) lowerNode(node, scope)
}

const lowerNode = (node: Node, scope: GraphScope): void => {
  const { plan, places } = scope
  const [result] = node.results
  if (node.op === 'constant' && result !== undefined) {
    const literal = literalOf(node)
    if (literal !== undefined) return void places.set(result, { kind: 'literal', scalar: literal })
    const { data } = node.attrs
    if (!isInline(data) && !isBytes(data)) throw new Error('a constant has no data')
    return void places.set(
      result,
      bufferPlace(plan.constant(identifier(result.name ?? 'constant'), result.type.dtype, result.type.shape, data)),
    )
  }
  if (node.op === 'reshape' && result !== undefined && asView(node, result, scope)) return
  if (node.op === 'if') return lowerIf(node, scope)
  if (node.op === 'loop') return lowerLoop(node, scope)
  lowerKernels(node, scope)
}

/** A reshape of something stored shares its memory. */
const asView = (node: Node, result: Value, scope: GraphScope): boolean => {
  const [operand] = node.operands
  const place = operand && scope.places.get(operand)
  if (operand === undefined || place === undefined) return false
  if (place.kind === 'literal') {
    scope.places.set(result, place)
    return true
  }
  // Elements that lie in another order have to be moved.
  if (place.dims !== undefined) return false
  const home = scope.homes.get(result)
  if (home !== undefined && scope.plan.rootOf(place.name) !== scope.plan.rootOf(home)) return false
  const name =
    home ?? scope.plan.buffer(`${scope.prefix}${hintOf(result)}`, 'scratch', result.type, { aliasOf: place.name })
  scope.places.set(result, bufferPlace(name))
  return true
}

/** The node as a body of its own, or the body it carries, with what its operands are. */
const bodyOf = (node: Node, scope: GraphScope): { body: Graph; operands: readonly Value[]; kind: string } => {
  const operands = [...new Set(node.operands.filter(v => v !== undefined))]
  const { body: nested, kind } = node.attrs
  if (opNamed(node.op).class === 'region' && isGraph(nested))
    return {
      body: flattenBody({ ...nested, symbols: new Map([...scope.plan.symbols, ...nested.symbols]) }),
      operands: node.operands.filter(v => v !== undefined),
      kind: typeof kind === 'string' ? kind : 'elementwise',
    }
  const builder = new GraphBuilder(node.op, scope.plan.symbols)
  const inputs = new Map(operands.map((v, i) => [v, builder.input(v.name ?? `x${i}`, v.type)]))
  builder.origin = node.origin
  const results = builder.addTyped(
    node.op,
    node.operands.map(v => v && inputs.get(v)),
    node.attrs,
    node.results.map(r => r.type),
    node.results[0]?.name,
  )
  const outputs = Object.fromEntries(results.map((r, i) => [`y${i}`, r]))
  return { body: flattenBody(builder.finish(outputs)), operands, kind: opNamed(node.op).class }
}

const lowerKernels = (node: Node, scope: GraphScope): void => {
  const { plan, places } = scope
  const { body, operands, kind } = bodyOf(node, scope)
  const literals = new Map<Value, Scalar>()
  const inside = new Map<Value, string>()
  const layouts = new Map<Value, readonly PhysicalDim[]>()
  body.inputs.forEach(({ value }, i) => {
    const operand = operands[i]
    const place = operand && places.get(operand)
    if (place === undefined) throw new Error(`${node.op} uses a value that has no place yet`)
    if (place.kind === 'literal') literals.set(value, place.scalar)
    else inside.set(value, place.name)
    if (place.kind === 'buffer' && place.dims !== undefined) layouts.set(value, place.dims)
  })
  for (const n of body.nodes) {
    const literal = literalOf(n)
    const [value] = n.results
    if (n.op !== 'constant' || value === undefined) continue
    if (literal !== undefined) literals.set(value, literal)
    else {
      const { data } = n.attrs
      if (isInline(data) || isBytes(data))
        inside.set(value, plan.constant(identifier(value.name ?? 'constant'), value.type.dtype, value.type.shape, data))
    }
  }
  const together = kind === 'attention'
  const name = together ? kind : kernelName(body, node)
  const asked = layoutsOf(node)
  body.outputs.forEach(({ value }, i) => {
    const result = node.results[i]
    const dims = asked[i]
    // What is written for the host, or handed through, lies where that is.
    if (
      dims === undefined ||
      result === undefined ||
      scope.homes.has(result) ||
      inside.has(value) ||
      layouts.has(value)
    )
      return
    layouts.set(value, dims)
  })
  const lowered = lowerRegion(body, { name, literals, layouts, together, ...scope.limits })
  body.outputs.forEach(({ value }, i) => {
    const result = node.results[i]
    if (result === undefined) return
    const known = inside.get(value),
      literal = literals.get(value)
    // A body that hands an operand or an earlier output through.
    const dims = layouts.get(value)
    if (known !== undefined) return void places.set(result, bufferPlace(known, dims))
    if (literal !== undefined) return void places.set(result, { kind: 'literal', scalar: literal })
    const home =
      scope.homes.get(result) ??
      plan.buffer(`${scope.prefix}${hintOf(result)}`, 'scratch', result.type, {
        ...(dims && { layout: layoutOfDims(dims, result.type.shape) }),
      })
    inside.set(value, home)
    places.set(result, bufferPlace(home, dims))
  })
  for (const value of lowered.scratch)
    if (!inside.has(value)) inside.set(value, plan.buffer(`${scope.prefix}${hintOf(value)}`, 'scratch', value.type))
  for (const { region, args } of lowered.kernels) {
    const buffers = args.map(v => {
      const buffer = inside.get(v)
      if (buffer === undefined) throw new Error(`${region.kernel.name} takes a value that has no buffer`)
      return buffer
    })
    scope.steps.push(
      plan.kernel(
        region.kernel.name,
        given => ({ region: { ...region, kernel: renameKernel(region.kernel, given) }, kind }),
        buffers,
      ),
    )
  }
  defineSymbols(node, body, inside, scope)
}

/** The layouts that a region asks for its results, where they are not row-major. */
const layoutsOf = (node: Node): readonly (readonly PhysicalDim[] | undefined)[] => {
  const { layouts } = node.attrs
  if (!Array.isArray(layouts)) return []
  return layouts.map(text => {
    const dims = typeof text === 'string' ? parsePhysicalDims(text) : []
    return isPlain(dims) ? undefined : dims
  })
}

/** Symbols that ops define are read from the scalars that hold them as soon as those are written. */
const defineSymbols = (node: Node, body: Graph, inside: ReadonlyMap<Value, string>, scope: GraphScope): void => {
  const define = (n: Node, bufferOfResult: (v: Value) => string | undefined): void => {
    for (const { symbol, from } of opNamed(n.op).defines?.(n.results.map(r => r.type)) ?? []) {
      const result = n.results[from]
      const buffer = result && bufferOfResult(result)
      if (buffer === undefined) throw new Error(`${n.op} does not store what ${symbol} is`)
      scope.steps.push({ kind: 'define', symbol, from: buffer })
    }
  }
  if (opNamed(node.op).class === 'region') for (const n of body.nodes) define(n, v => inside.get(v))
  else
    define(node, v => {
      const place = scope.places.get(v)
      return place?.kind === 'buffer' ? place.name : undefined
    })
}

/** A few of the ops that a kernel does, in order: for people who read profiles. */
const kernelName = (body: Graph, node: Node): string => {
  const quiet = new Set(['constant', 'broadcast', 'reshape', 'dim-value'])
  const loud = body.nodes.map(n => n.op).filter(op => !quiet.has(op))
  const named = [...new Set(loud)].slice(0, 4)
  return identifier(named.length === 0 ? node.op : named.join('_'))
}

/** The buffer that holds a value; a literal becomes a constant. */
export const bufferOf = (value: Value, scope: GraphScope): string => {
  const place = scope.places.get(value)
  if (place === undefined) throw new Error(`a value of ${value.node?.op ?? 'an input'} has no place`)
  return place.kind === 'buffer' ? place.name : storeLiteral(value, place.scalar, scope)
}

const storeLiteral = (value: Value, scalar: Scalar, scope: GraphScope): string => {
  const shape = value.type.shape.map(d => (ix.isConst(d) ? d.value : undefined))
  if (scalar.kind === 'const' && shape.every(d => d !== undefined)) {
    const count = shape.reduce((n, d) => n * d, 1)
    return scope.plan.constant(hintOf(value), value.type.dtype, value.type.shape, {
      kind: 'inline',
      values: Array.from({ length: count }, () => scalar.value),
    })
  }
  const buffer = scope.plan.buffer(`${scope.prefix}${hintOf(value)}`, 'scratch', value.type)
  scope.steps.push(fill(buffer, value, scalar, scope.plan))
  return buffer
}

/** A kernel that writes one expression over symbols everywhere. */
const fill = (buffer: string, value: Value, scalar: Scalar, plan: PlanBuilder): Step => {
  const builder = new GraphBuilder('fill', plan.symbols)
  const x = builder.input('value', { dtype: value.type.dtype, shape: [] })
  const y = builder.one('broadcast', [x], { shape: value.type.shape })
  const body = flattenBody(builder.finish({ y }))
  const [input] = body.inputs
  if (input === undefined) throw new Error('fill has no input')
  const { kernels } = lowerRegion(body, {
    name: 'fill',
    literals: new Map([[input.value, scalar]]),
    buffersPerKernel: 1,
  })
  const [kernel] = kernels
  if (kernel === undefined) throw new Error('fill has no kernel')
  return plan.kernel(
    'fill',
    name => ({ region: { ...kernel.region, kernel: renameKernel(kernel.region.kernel, name) }, kind: 'elementwise' }),
    [buffer],
  )
}
