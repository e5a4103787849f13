/** @file Rebuilds a graph node by node: what every pass that is not a list of rules is written with. */
import { GraphBuilder } from './builder.ts'
import type { Graph, Node, Value } from './graph.ts'

/**
 * Copies `graph` into `builder`, giving `visit` each node with its operands mapped.
 * @param visit new values of the node's results, or undefined to copy the node as it is
 */
export const transformGraph = (
  graph: Graph,
  visit: (node: Node, operands: readonly (Value | undefined)[], builder: GraphBuilder) => readonly Value[] | undefined,
  builder: GraphBuilder = new GraphBuilder(graph.name, graph.symbols),
): Graph => {
  const mapped = new Map<Value, Value>()
  for (const { name, value } of graph.inputs) mapped.set(value, builder.input(name, value.type))
  const lookUp = (value: Value): Value => {
    const found = mapped.get(value)
    if (found === undefined) throw new Error(`${graph.name} uses a value before it is defined`)
    return found
  }
  for (const node of graph.nodes) {
    const operands = node.operands.map(v => v && lookUp(v))
    builder.origin = node.origin
    const results = visit(node, operands, builder) ?? copyNode(node, operands, builder)
    node.results.forEach((old, i) => {
      const now = results[i]
      if (now === undefined)
        throw new Error(`${node.op} has ${node.results.length} results, and was replaced by ${results.length}`)
      mapped.set(old, now)
    })
  }
  return builder.finish(Object.fromEntries(graph.outputs.map(o => [o.name, lookUp(o.value)])))
}

/** @param edit what becomes of the graphs nested in its attributes; absent: they stay */
export const copyNode = (
  node: Node,
  operands: readonly (Value | undefined)[],
  builder: GraphBuilder,
  edit?: (graph: Graph) => Graph,
): readonly Value[] =>
  builder.addTyped(
    node.op,
    operands,
    edit === undefined ? node.attrs : mapNested(node, edit),
    node.results.map(r => r.type),
    node.results[0]?.name,
  )

/** Applies a function to the graphs nested in a node's attributes. */
export const mapNested = (node: Node, f: (graph: Graph) => Graph): Node['attrs'] =>
  Object.fromEntries(Object.entries(node.attrs).map(([name, value]) => [name, isGraph(value) ? f(value) : value]))

export const isGraph = (value: unknown): value is Graph =>
  typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'graph'

/** The nodes that use each value, graph outputs not counted. */
export const usersOf = (graph: Graph): ReadonlyMap<Value, readonly Node[]> => {
  const users = new Map<Value, Node[]>()
  for (const node of graph.nodes)
    for (const v of new Set(node.operands)) if (v !== undefined) users.set(v, [...(users.get(v) ?? []), node])
  return users
}

/** Inlines a graph's nodes into a builder, its inputs bound to `args`; the values of its outputs in order. */
export const inlineGraph = (body: Graph, args: readonly Value[], builder: GraphBuilder): readonly Value[] => {
  const mapped = new Map<Value, Value>()
  body.inputs.forEach(({ value }, i) => {
    const arg = args[i]
    if (arg === undefined) throw new Error(`${body.name} takes ${body.inputs.length} inputs, not ${args.length}`)
    mapped.set(value, arg)
  })
  const lookUp = (value: Value): Value => mapped.get(value) ?? value
  for (const node of body.nodes) {
    builder.origin = node.origin ?? builder.origin
    copyNode(
      node,
      node.operands.map(v => v && lookUp(v)),
      builder,
    ).forEach((now, i) => {
      const old = node.results[i]
      if (old !== undefined) mapped.set(old, now)
    })
  }
  return body.outputs.map(o => lookUp(o.value))
}

/** Removes nodes that no output depends on. */
export const dropDead = (graph: Graph): Graph => {
  const live = new Set<Node>()
  const visit = (value: Value | undefined): void => {
    const stack = [value]
    for (let v = stack.pop(); stack.length > 0 || v !== undefined; v = stack.pop()) {
      const node = v?.node
      if (node === undefined || live.has(node)) continue
      live.add(node)
      stack.push(...node.operands)
    }
  }
  graph.outputs.forEach(o => visit(o.value))
  return live.size === graph.nodes.length ? graph : { ...graph, nodes: graph.nodes.filter(n => live.has(n)) }
}
