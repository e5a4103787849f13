/** @file Moves out of a loop what is the same in every round. */
import {
  type Graph,
  GraphBuilder,
  type Node,
  type Value,
  copyNode,
  dropDead,
  isGraph,
  mapNested,
  opNamed,
  transformGraph,
} from '@quern/core-ir'
import { cheapToMake } from './known-constants.ts'
import type { Pass } from './pass.ts'

/** What is not worth a value that lives as long as the loop: users write it into their own kernels, or see the same bytes. */
const staysInside = (node: Node): boolean => cheapToMake.has(node.op) || node.op === 'constant'

/** Inputs of a loop's body: the trip, what is carried, and what stays. */
const invariantInputs = (body: Graph): readonly Value[] => body.inputs.slice(body.outputs.length).map(i => i.value)

/**
 * The nodes of a body that depend on nothing but what stays. Those that hold graphs of their own are left where they are, and those
 * that define symbols: the body's shapes speak of these, and they belong to the graph that their op is in.
 */
const invariantNodes = (body: Graph): ReadonlySet<Node> => {
  const known = new Set(invariantInputs(body))
  const found = new Set<Node>()
  for (const node of body.nodes) {
    if (Object.values(node.attrs).some(isGraph) || opNamed(node.op).defines !== undefined) continue
    if (!node.operands.every(v => v === undefined || known.has(v))) continue
    found.add(node)
    node.results.forEach(r => known.add(r))
  }
  return found
}

/** The results that the rest of the body reads, looked at through what stays inside. */
const hoistedValues = (body: Graph, invariant: ReadonlySet<Node>): readonly Value[] => {
  const hoisted = new Set<Value>()
  const need = (value: Value | undefined): void => {
    const { node } = value ?? {}
    if (value === undefined || node === undefined || !invariant.has(node)) return
    if (staysInside(node)) node.operands.forEach(need)
    else hoisted.add(value)
  }
  for (const node of body.nodes) if (!invariant.has(node)) node.operands.forEach(need)
  for (const { value } of body.outputs) need(value)
  return [...hoisted]
}

const hoistFrom = (loop: Node, operands: readonly (Value | undefined)[], builder: GraphBuilder): readonly Value[] => {
  const { body, ...rest } = mapNested(loop, hoistAll)
  if (!isGraph(body)) throw new Error('a loop has a body')
  const copied = (outer: readonly (Value | undefined)[], inner: Graph): readonly Value[] =>
    builder.addTyped(
      loop.op,
      outer,
      { ...rest, body: inner },
      loop.results.map(r => r.type),
      loop.results[0]?.name,
    )
  const invariant = invariantNodes(body)
  const hoisted = hoistedValues(body, invariant)
  if (hoisted.length === 0) return copied(operands, body)

  // Outside: the hoisted values, computed of what the loop is given.
  const outside = new Map<Value, Value>()
  const given = operands.slice(operands.length - (body.inputs.length - 1))
  body.inputs.slice(1).forEach(({ value }, i) => {
    const operand = given[i]
    if (operand !== undefined) outside.set(value, operand)
  })
  const compute = (value: Value): Value => {
    const known = outside.get(value)
    if (known !== undefined) return known
    const { node } = value
    if (node === undefined) throw new Error(`a loop is given no ${value.name ?? 'input'}`)
    const args = node.operands.map(v => v && compute(v))
    builder.origin = node.origin
    copyNode(node, args, builder).forEach((made, i) => outside.set(node.results[i] ?? value, made))
    return compute(value)
  }
  const more = hoisted.map(compute)
  builder.origin = loop.origin

  // Inside: they are inputs that stay.
  const inner = new GraphBuilder(body.name, body.symbols)
  const inside = new Map<Value, Value>()
  for (const { name, value } of body.inputs) inside.set(value, inner.input(name, value.type))
  const taken = new Set(body.inputs.map(i => i.name))
  hoisted.forEach((value, i) => {
    let name = `staying${i}`
    while (taken.has(name)) name += '_'
    taken.add(name)
    inside.set(value, inner.input(name, value.type))
  })
  for (const node of body.nodes) {
    if (node.results.every(r => inside.has(r))) continue
    const args = node.operands.map(v => v && inside.get(v))
    inner.origin = node.origin
    copyNode(node, args, inner).forEach((made, i) => {
      const old = node.results[i]
      if (old !== undefined && !inside.has(old)) inside.set(old, made)
    })
  }
  const outputs = body.outputs.map(({ name, value }): [string, Value] => {
    const made = inside.get(value)
    if (made === undefined) throw new Error(`a loop's body lost ${name}`)
    return [name, made]
  })
  // What only hoisted nodes read is left without users.
  return copied([...operands, ...more], dropDead(inner.finish(Object.fromEntries(outputs))))
}

const hoistAll = (graph: Graph): Graph =>
  transformGraph(graph, (node, operands, builder) => {
    if (node.op === 'loop') return hoistFrom(node, operands, builder)
    if (!Object.values(node.attrs).some(isGraph)) return undefined
    return copyNode(node, operands, builder, hoistAll)
  })

export const hoistInvariants: Pass = {
  name: 'hoist-invariants',
  doc: 'What a loop computes in every round of values that stay the same is computed once, before it.',
  run: hoistAll,
}
