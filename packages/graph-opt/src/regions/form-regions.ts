/**
 * @file Fusion: marks in the graph which nodes become one kernel. Walks consumers first; a node joins the group that all
 * of its users are in, where the group's schedule can take it. Since every path out of a joined node stays in the group, no
 * cycle between regions can arise. Nodes that only rename elements of a scalar or a smaller tensor (broadcasts, iota, scalar
 * constants) are copied into every region that uses them.
 */
import {
  type Fired,
  type Graph,
  GraphBuilder,
  type Node,
  type RegionKind,
  type Value,
  copyNode,
  isGraph,
  ix,
  opNamed,
  usersOf,
} from '@quern/core-ir'
import { decomposeNode } from '../passes/decompose.ts'
import type { Fusions } from '../passes/pass.ts'
import { accessOf, isElementwise } from './access.ts'
import { findAttention } from './attention.ts'
import { isComputedWhole, isCut, kindOf, takesCuts, takesEpilogue, takesPrologue } from './kinds.ts'

export interface RegionOptions {
  /** Storage buffers one kernel may bind; from the target's limits. */
  readonly maxBuffers: number
  /** Bytes that a kernel may keep near the processor in memory of its own; absent where it has none, or next to none. */
  readonly nearBytes?: number
  readonly fusions?: Fusions
  /** Hears of decisions that an alternative stood beside. */
  readonly note?: (fired: Fired) => void
}

/**
 * Nodes of one region. What is fused beyond it saves next to nothing, and passes that look at a whole kernel, or go down its
 * expressions, stay within their means however long the graph is.
 */
const maxNodes = 128

interface Group {
  kind: RegionKind
  anchor: Node | undefined
  readonly nodes: Set<Node>
  /** Nodes that work on the scores of an attention: what they read besides is read once an element, like a mask. */
  readonly onScores?: Set<Node>
}

type Role = 'inline' | 'view' | 'outside' | 'group'

const isScalarConstant = (node: Node): boolean =>
  node.op === 'constant' && (node.results[0]?.type.shape.every(d => ix.isConst(d, 1)) ?? false)

/** `inline`: copied into its users. `view`: no kernel. `outside`: large constants and control flow. */
const roleOf = (node: Node): Role => {
  if (isScalarConstant(node) || node.op === 'broadcast' || node.op === 'iota') return 'inline'
  if (node.op === 'reshape') return 'view'
  const op = opNamed(node.op)
  return op.class === 'constant' || op.class === 'control' || op.class === 'region' ? 'outside' : 'group'
}

export const formRegions = (graph: Graph, options: RegionOptions): Graph => {
  const nested = (inner: Graph): Graph => formRegions(inner, options)
  const roles = new Map(graph.nodes.map(n => [n, roleOf(n)]))
  const users = usersOf(graph)
  const outputs = new Set(graph.outputs.map(o => o.value))
  const groupOf = new Map<Node, Group>()

  /** The nodes that read this one's results, looking through inlined ones. */
  const realUsers = (node: Node): readonly Node[] =>
    node.results.flatMap(r => users.get(r) ?? []).flatMap(u => (roles.get(u) === 'inline' ? realUsers(u) : [u]))
  const isOutput = (node: Node): boolean =>
    node.results.some(r => outputs.has(r) || (users.get(r) ?? []).some(u => roles.get(u) === 'inline' && isOutput(u)))

  for (const { anchor, onScores, nodes } of findAttention({
    graph,
    usersOf: realUsers,
    isOutput,
    nearBytes: options.nearBytes,
    unwanted: options.fusions?.attention === false,
    note: fired => options.note?.(fired),
  })) {
    const group: Group = {
      kind: 'attention',
      anchor,
      onScores: new Set(onScores),
      nodes: new Set([...nodes].reverse().filter(n => roles.get(n) === 'group')),
    }
    group.nodes.forEach(n => groupOf.set(n, group))
  }
  for (const node of [...graph.nodes].reverse()) {
    if (roles.get(node) !== 'group' || groupOf.has(node)) continue
    const group = groupToJoin(node)
    if (group === undefined) {
      const kind = kindOf(node)
      groupOf.set(node, { kind, anchor: kind === 'elementwise' ? undefined : node, nodes: new Set([node]) })
    } else {
      if (meetsScores(node, group)) group.onScores?.add(node)
      group.nodes.add(node)
      groupOf.set(node, group)
    }
  }

  function groupToJoin(node: Node): Group | undefined {
    const [first, ...rest] = realUsers(node)
    const group = first && groupOf.get(first)
    if (group === undefined || group.nodes.size >= maxNodes) return undefined
    if (rest.some(u => groupOf.get(u) !== group)) return undefined
    const access = accessOf(node)
    const elementwise = access !== undefined && isElementwise(node, access)
    if (isOutput(node) && !(elementwise && group.anchor === undefined && sameShape(node, group))) return undefined
    if (buffersWith(group, node) > options.maxBuffers) return undefined
    if (kindOf(node) === 'elementwise' && access !== undefined) {
      const feedsAnchor = group.anchor !== undefined && dependents(node, group).has(group.anchor)
      const taken =
        takesPrologue.has(group.kind) || (isCut(node) && takesCuts.has(group.kind)) || meetsScores(node, group)
      if (feedsAnchor && !taken) return undefined
      return access.expensive && isSpread(node, group) ? undefined : group
    }
    // An anchor joins as the source of element-wise work on its own result.
    if (group.anchor !== undefined || !takesEpilogue.has(kindOf(node)) || node.results.length !== 1) return undefined
    for (const d of dependents(node, group)) {
      const reads = accessOf(d)
      if (reads === undefined || !isElementwise(d, reads) || !sameShapes(d, node)) return undefined
    }
    // A broadcast between the anchor and its user would read the result at other subscripts.
    if ((users.get(node.results[0] as Value) ?? []).some(u => roles.get(u) === 'inline')) return undefined
    group.anchor = node
    group.kind = kindOf(node)
    return group
  }

  function meetsScores(node: Node, { onScores }: Group): boolean {
    return onScores !== undefined && realUsers(node).every(u => onScores.has(u))
  }

  /** The nodes of a group that depend on `node`, itself not counted. */
  function dependents(node: Node, group: Group): ReadonlySet<Node> {
    const found = new Set<Node>()
    const visit = (n: Node): void => {
      for (const u of realUsers(n))
        if (group.nodes.has(u) && !found.has(u)) {
          found.add(u)
          visit(u)
        }
    }
    visit(node)
    return found
  }

  /** Whether some user reads the node through a broadcast: its work would be repeated for every copy. */
  function isSpread(node: Node, group: Group): boolean {
    return node.results.some(r =>
      (users.get(r) ?? []).some(u => roles.get(u) === 'inline' || (group.nodes.has(u) && spreads(u, r))),
    )
  }

  /** Distinct values from outside that a group with `node` would read, plus what it writes. */
  function buffersWith(group: Group, node: Node): number {
    const nodes = new Set([...group.nodes, node])
    const read = new Set<Value>()
    const collect = (n: Node): void => {
      for (const v of n.operands) {
        if (v === undefined) continue
        if (v.node !== undefined && roles.get(v.node) === 'inline') collect(v.node)
        else if (v.node === undefined || !nodes.has(v.node)) read.add(v)
      }
    }
    nodes.forEach(collect)
    return read.size + [...nodes].filter(n => isOutput(n)).length + 1
  }

  // Emission: a region stands where its last node stood; everything it reads was emitted before.
  const lastOf = new Map<Group, Node>()
  for (const node of graph.nodes) {
    const group = groupOf.get(node)
    if (group !== undefined) lastOf.set(group, node)
  }
  const neededOutside = new Set<Value>(outputs)
  for (const node of graph.nodes) {
    const role = roles.get(node)
    if (role === 'view' || role === 'outside') node.operands.forEach(v => v && neededOutside.add(v))
  }

  return emitRegions()

  function emitRegions(): Graph {
    const builder = new GraphBuilder(graph.name, graph.symbols)
    const mapped = new Map<Value, Value>()
    for (const { name, value } of graph.inputs) mapped.set(value, builder.input(name, value.type))
    const lookUp = (value: Value): Value => {
      const found = mapped.get(value)
      if (found !== undefined) return found
      if (value.node === undefined || roles.get(value.node) !== 'inline')
        throw new Error(`${graph.name}: a region reads ${value.node?.op ?? 'an input'} before it is emitted`)
      // An inlined node that something outside regions needs: it becomes a region of its own (or stays a constant).
      builder.origin = value.node.origin
      const operands = value.node.operands.map(v => v && lookUp(v))
      const made =
        value.node.op === 'constant'
          ? copyNode(value.node, operands, builder)
          : emitGroup({ kind: 'elementwise', anchor: undefined, nodes: new Set([value.node]) })
      value.node.results.forEach((r, i) => mapped.set(r, made[i] as Value))
      return mapped.get(value) as Value
    }
    const emitGroup = (group: Group): readonly Value[] => {
      // Groups were filled from the last node to the first.
      const nodes = [...group.nodes].reverse()
      const inner = new GraphBuilder('region', graph.symbols)
      const inside = new Map<Value, Value>()
      const operands: Value[] = []
      const innerValue = (value: Value): Value => {
        const known = inside.get(value)
        if (known !== undefined) return known
        if (value.node !== undefined && roles.get(value.node) === 'inline' && !group.nodes.has(value.node)) {
          const copied = copyNode(
            value.node,
            value.node.operands.map(v => v && innerValue(v)),
            inner,
          )
          value.node.results.forEach((r, i) => inside.set(r, copied[i] as Value))
          return inside.get(value) as Value
        }
        operands.push(lookUp(value))
        const input = inner.input(`x${operands.length - 1}`, value.type)
        inside.set(value, input)
        return input
      }
      for (const node of nodes) {
        const args = node.operands.map(v => v && innerValue(v))
        inner.origin = node.origin
        const results = isComputedWhole(node) ? decomposeNode(node, args, inner) : copyNode(node, args, inner)
        node.results.forEach((r, i) => inside.set(r, results[i] as Value))
      }
      const exported = nodes
        .flatMap(n => n.results)
        .filter(r => neededOutside.has(r) || (users.get(r) ?? []).some(u => leaves(u, group)))
      const body = inner.finish(Object.fromEntries(exported.map((r, i) => [`y${i}`, inside.get(r) as Value])))
      const last = nodes.at(-1)
      builder.origin = (group.anchor ?? last)?.origin
      const results = builder.addTyped(
        'region',
        operands,
        { body, kind: group.kind },
        exported.map(r => r.type),
        last?.results[0]?.name,
      )
      exported.forEach((r, i) => mapped.set(r, results[i] as Value))
      return results
    }
    const leaves = (user: Node, group: Group): boolean =>
      roles.get(user) === 'inline'
        ? user.results.some(r => neededOutside.has(r) || (users.get(r) ?? []).some(u => leaves(u, group)))
        : groupOf.get(user) !== group

    for (const node of graph.nodes) {
      const role = roles.get(node)
      if (role === 'inline') continue
      if (role === 'group') {
        const group = groupOf.get(node)
        if (group !== undefined && lastOf.get(group) === node) emitGroup(group)
        continue
      }
      builder.origin = node.origin
      const operands = node.operands.map(v => v && lookUp(v))
      builder.origin = node.origin
      const results = Object.values(node.attrs).some(isGraph)
        ? copyNode(node, operands, builder, nested)
        : copyNode(node, operands, builder)
      node.results.forEach((r, i) => mapped.set(r, results[i] as Value))
    }
    return builder.finish(Object.fromEntries(graph.outputs.map(o => [o.name, lookUp(o.value)])))
  }
}

const sameShapes = (a: Node, b: Node): boolean => {
  const p = a.results[0]?.type.shape ?? [],
    q = b.results[0]?.type.shape ?? []
  return p.length === q.length && p.every((d, i) => d.key === q[i]?.key)
}
const sameShape = (node: Node, group: Group): boolean => [...group.nodes].every(n => sameShapes(n, node))

/** Whether `node` reads `value` at subscripts other than its own. */
const spreads = (node: Node, value: Value): boolean => {
  const access = accessOf(node)
  return access === undefined || !isElementwise(node, access) || !node.operands.includes(value)
}
