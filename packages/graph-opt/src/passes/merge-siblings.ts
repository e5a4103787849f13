/**
 * @file Products of one left-hand side with several constant matrices become one product with all their columns: the queries,
 * keys and values of attention, the gates of a cell. The left-hand side is read once, by one kernel, and the matrices are
 * joined at build.
 *
 * What was a product is a cut of the joint one then. That must cost nothing: whoever reads it has to be a kernel that would
 * have read the whole and can as well read a part of something larger. Element-wise work would have been done where
 * the product is stored; so products are joined only where all that stands between them and such readers can be done
 * on the joint one alike (a bias, an activation that they have in common), or not at all.
 *
 * Every element is the same sum, in the same order.
 */
import {
  type Fired,
  type Graph,
  type GraphBuilder,
  type Index,
  type Node,
  type Value,
  attrKey,
  copyNode,
  dropDead,
  isGraph,
  ix,
  nodeKey,
  opNamed,
  transformGraph,
  usersOf,
} from '@quern/core-ir'
import { accessOf, isElementwise } from '../regions/access.ts'
import { kindOf, takesCuts } from '../regions/kinds.ts'
import { ancestorsOf, countOf, knownNodes } from './known-constants.ts'
import type { Pass, PassContext } from './pass.ts'
import { defaultPrepareLimits } from './prepare-constants.ts'
import { addCut, cutLater, reshapedCut } from './reshaped-cuts.ts'

/** One step of the element-wise work behind a product. */
interface Step {
  readonly node: Node
  /** Which operand carries what came before. */
  readonly carried: number
  /** What stands behind the broadcasts that are its other operands. */
  readonly others: readonly (Beside | undefined)[]
}
/** `columns`: one number for each column, to be joined. `same`: a value that all siblings share. */
type Beside = { readonly kind: 'columns'; readonly source: Value } | { readonly kind: 'same'; readonly source: Value }

interface Sibling {
  readonly product: Node
  readonly weight: Value
  readonly steps: readonly Step[]
  /** What the others read. */
  readonly result: Value
}

const lastOf = (value: Value): Index => value.type.shape.at(-1) ?? ix.constant(1)

/** What an op does, apart from its operands. */
const meaningOf = ({ op, attrs }: Node): string =>
  JSON.stringify([op, ...Object.entries(attrs).map(([name, value]) => [name, attrKey(value)])])

/** The axis of the right-hand side that its columns are. */
const columnsOf = ({ attrs }: Node): number => (attrs['transposeRhs'] === true ? 0 : 1)

const mergeEverywhere = (graph: Graph, context: PassContext): Graph =>
  cutLater(
    mergeIn(
      transformGraph(graph, (node, operands, builder) =>
        Object.values(node.attrs).some(isGraph)
          ? copyNode(node, operands, builder, inner => mergeEverywhere(inner, context))
          : undefined,
      ),
      context,
    ),
  )

const mergeIn = (graph: Graph, context: PassContext): Graph => {
  const users = usersOf(graph)
  const outputs = new Set(graph.outputs.map(o => o.value))
  const known = knownNodes(graph.nodes)
  const isKnown = ({ node }: Value): boolean => node !== undefined && (node.op === 'constant' || known.has(node))
  const onlyUser = (value: Value): Node | undefined => {
    const [user, ...more] = users.get(value) ?? []
    return more.length === 0 && !outputs.has(value) ? user : undefined
  }

  const groups = new Map<string, Sibling[]>()
  const ids = new Map<Value, number>()
  const idOf = (x: Value): number => {
    const id = ids.get(x) ?? ids.size
    ids.set(x, id)
    return id
  }
  /** Equal constants are the same. */
  const sameKey = (x: Value): string =>
    (x.node?.op === 'constant' ? nodeKey(x.node, idOf) : undefined) ?? `value ${idOf(x)}`
  for (const node of graph.nodes) {
    const sibling = siblingOf(node)
    const [lhs] = node.operands
    if (sibling === undefined || lhs === undefined) continue
    const steps = sibling.steps.map(s => [
      meaningOf(s.node),
      s.carried,
      s.others.map(o => (o === undefined ? '' : o.kind === 'same' ? `same ${sameKey(o.source)}` : o.kind)),
    ])
    const key = JSON.stringify([idOf(lhs), node.attrs['transposeLhs'], node.attrs['transposeRhs'], steps])
    groups.set(key, [...(groups.get(key) ?? []), sibling])
  }
  const merged = [...groups.values()].filter(g => g.length > 1 && affordable(g))
  if (merged.length === 0) return graph
  context.note(
    merged.map((g): Fired => ({
      rule: `merge-siblings: ${g.length} products of one operand, ${g.map(s => lastOf(s.result).key).join(' + ')} columns`,
      at: g[0]?.product.origin,
      op: 'matmul',
    })),
  )
  return dropDead(joinAll(merged))

  /** A product with a constant matrix, whose readers do not care whether it is a part of something larger. */
  function siblingOf(product: Node): Sibling | undefined {
    const [lhs, weight] = product.operands
    const [result] = product.results
    if (product.op !== 'matmul' || lhs === undefined || weight === undefined || result === undefined) return undefined
    if (weight.type.shape.length !== 2 || !isKnown(weight) || isKnown(lhs)) return undefined
    // A weight that something else needs as well would be stored twice.
    if (onlyUser(weight) !== product || countOf(weight) === undefined) return undefined
    const steps: Step[] = []
    let value = result
    for (let step = stepAfter(value); step !== undefined; step = stepAfter(value)) {
      const [next] = step.node.results
      if (next === undefined) break
      steps.push(step)
      value = next
    }
    return isFree(value) ? { product, weight, steps, result: value } : undefined
  }

  /** The only reader of a value, where it is element-wise and reads nothing else but what is the same in every row. */
  function stepAfter(value: Value): Step | undefined {
    const node = onlyUser(value)
    const access = node === undefined ? undefined : accessOf(node)
    if (node === undefined || access === undefined || !isElementwise(node, access)) return undefined
    if (node.results.length !== 1 || node.operands.filter(v => v === value).length !== 1) return undefined
    const others = node.operands.map(v => (v === undefined || v === value ? undefined : besideOf(v, value)))
    const complete = node.operands.every((v, i) => v === undefined || v === value || others[i] !== undefined)
    return complete ? { node, carried: node.operands.indexOf(value), others } : undefined
  }

  function besideOf({ node }: Value, like: Value): Beside | undefined {
    const [source] = node?.operands ?? []
    if (node?.op !== 'broadcast' || source === undefined || !isKnown(source)) return undefined
    const { shape } = source.type
    if (shape.every(d => ix.isConst(d, 1))) return { kind: 'same', source }
    const columns = shape.at(-1)?.key === lastOf(like).key && shape.slice(0, -1).every(d => ix.isConst(d, 1))
    return columns && onlyUser(source) === node ? { kind: 'columns', source } : undefined
  }

  /** Whether reading a part of something larger is as good: every reader picks elements at subscripts of its own. */
  function isFree(value: Value): boolean {
    const readers = users.get(value) ?? []
    return !outputs.has(value) && readers.length > 0 && readers.every(reader => picks(reader, value))
  }
  function picks(reader: Node, value: Value): boolean {
    const [result] = reader.results
    if (reader.op === 'reshape' && result !== undefined) {
      // The joint columns begin with these, or with as many of others: what fits here fits there, if the parts are alike.
      const axis = value.type.shape.length - 1
      const size = lastOf(value)
      const whole = value.type.shape.map((d, i) => (i === axis ? ix.mul(d, 2) : d))
      return reshapedCut(whole, { axis, start: size, size }, result.type.shape) !== undefined && isFree(result)
    }
    if (takesCuts.has(kindOf(reader))) return true
    const access = accessOf(reader)
    return opNamed(reader.op).class === 'injective' && access !== undefined && !isElementwise(reader, access)
  }

  /** Whether the matrices will be joined at build, which is what makes it worth while. */
  function affordable(group: readonly Sibling[]): boolean {
    const limits = { ...defaultPrepareLimits, ...context.limits }
    const elements = group.reduce((n, s) => n + (countOf(s.weight) ?? Infinity), 0)
    const { dtype } = group[0]?.weight.type ?? {}
    return dtype !== undefined && 2 * elements * 8 <= limits.prepareBytes && 2 * elements <= limits.prepareWork / 16
  }

  function joinAll(all: readonly (readonly Sibling[])[]): Graph {
    const groupOf = new Map(all.flatMap(g => g.map(s => [s.product, g] as const)))
    const cutAt = new Map(all.flatMap(g => g.map(s => [s.result, s] as const)))
    const joint = new Map<readonly Sibling[], Value>()
    // What is joined at build comes first, so that it is there where the first sibling stands.
    const joined = ancestorsOf(
      all.flatMap(g => g.flatMap(s => [s.weight, ...s.steps.flatMap(x => x.others.flatMap(o => o?.source ?? []))])),
    )
    const early = (n: Node): boolean => joined.has(n)
    const nodes = [...graph.nodes.filter(early), ...graph.nodes.filter(n => !early(n))]
    const constants = new Map<Value, Value>()
    return transformGraph({ ...graph, nodes }, (node, operands, builder) => {
      const group = groupOf.get(node)
      const [lhs] = operands
      if (group !== undefined && lhs !== undefined && !joint.has(group))
        joint.set(
          group,
          join(group, lhs, v => constants.get(v) ?? v, builder),
        )
      const copied = copyNode(node, operands, builder)
      if (early(node))
        node.results.forEach((r, i) => {
          const now = copied[i]
          if (now !== undefined) constants.set(r, now)
        })
      const [result] = node.results
      const sibling = result === undefined ? undefined : cutAt.get(result)
      const whole = sibling && joint.get(groupOf.get(sibling.product) ?? [])
      if (sibling === undefined || whole === undefined || result === undefined) return copied
      const before = groupOf.get(sibling.product)?.slice(0, groupOf.get(sibling.product)?.indexOf(sibling)) ?? []
      const start = ix.add(0, ...before.map(s => lastOf(s.result)))
      builder.origin = node.origin
      return [addCut(builder, whole, { axis: whole.type.shape.length - 1, start, size: lastOf(result) }, result.name)]
    })
  }
}

/** The joint product, with all element-wise work that its parts had in common. */
const join = (group: readonly Sibling[], lhs: Value, now: (v: Value) => Value, builder: GraphBuilder): Value => {
  const [first] = group
  if (first === undefined) throw new Error('no siblings')
  builder.origin = first.product.origin
  const weight = builder.one(
    'concat',
    group.map(s => now(s.weight)),
    { axis: columnsOf(first.product) },
  )
  let value = builder.one('matmul', [lhs, weight], first.product.attrs)
  first.steps.forEach((step, i) => {
    builder.origin = step.node.origin
    const operands = step.node.operands.map((v, at) => {
      if (v === undefined || at === step.carried) return v && value
      const beside = step.others[at]
      if (beside === undefined) throw new Error(`${step.node.op} reads what is not known`)
      const parts = group.map(s => s.steps[i]?.others[at]?.source ?? beside.source)
      const source =
        beside.kind === 'same'
          ? now(beside.source)
          : builder.one('concat', parts.map(now), { axis: beside.source.type.shape.length - 1 })
      return builder.one('broadcast', [source], { shape: value.type.shape })
    })
    value = builder.one(step.node.op, operands, step.node.attrs)
  })
  return value
}

export const mergeSiblings: Pass = {
  name: 'merge-siblings',
  doc: 'Products of one operand with several constant matrices become one product with all their columns, and cuts of it.',
  run: (graph, context) => (context.fusions?.siblings === false ? graph : mergeEverywhere(graph, context)),
}
