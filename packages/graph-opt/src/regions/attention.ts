/**
 * @file Attention: two products with work on whole rows of the first between them, like scores, their softmax and the mean of
 * values that they weigh. Found by what nodes read, not by their names: whatever stands between must need no other row.
 *
 * One kernel then computes a block of rows from the first product to the last, and the matrix between is never
 * stored. It pays where that matrix is larger than what it is made of, and where a block of whole rows stays near the processor.
 */
import {
  type Fired,
  type Graph,
  GraphBuilder,
  type Node,
  type Value,
  ix,
  opNamed,
  rangeOf,
  symbolRanges,
} from '@quern/core-ir'
import { decomposeNode } from '../passes/decompose.ts'
import { accessOf, elementOf, isElementwise } from './access.ts'
import { isComputedWhole, isCut } from './kinds.ts'

export interface Attention {
  /** The second product. */
  readonly anchor: Node
  /** What stands between the first and it. */
  readonly onScores: readonly Node[]
  /** In the order of the graph. */
  readonly nodes: readonly Node[]
}

export interface AttentionOptions {
  readonly graph: Graph
  /** The nodes that read a node's results, looking through those that every reader copies. */
  readonly usersOf: (node: Node) => readonly Node[]
  readonly isOutput: (node: Node) => boolean
  /** Bytes of a block of scores that stay near the processor; absent where a kernel has no memory of its own. */
  readonly nearBytes: number | undefined
  readonly unwanted: boolean
  readonly note: (fired: Fired) => void
}

/** Rows below which there is next to nothing to keep from memory: a decoder's next token. */
const fewRows = 8
/** Rows of one block at least: a register tile. */
const tileRows = 4
/** Columns and depth of a product that vectors can fill. */
const lanes = 4
/** A block is kept as scores and as what became of them. */
const copies = 2
const bytesOfScore = 4

export const findAttention = (options: AttentionOptions): readonly Attention[] => {
  const { graph, note } = options
  const taken = new Set<Node>()
  return graph.nodes.flatMap(anchor => {
    if (anchor.op !== 'matmul' || taken.has(anchor)) return []
    const found = behind(anchor, options)
    if (found === undefined || found.nodes.some(n => taken.has(n))) return []
    const why = refusal(found, options)
    const rows = found.scores.type.shape.slice(0, -1).map(d => d.key)
    const size = `${rows.join(' × ')} rows of ${found.scores.type.shape.at(-1)?.key ?? ''} scores`
    note({
      rule: why === undefined ? `attention: ${size} are not stored` : `attention: ${size} are stored, since ${why}`,
      at: anchor.origin,
      op: anchor.op,
    })
    if (why !== undefined) return []
    const nodes = new Set([...before(found, options), ...found.nodes, ...after(anchor, options)])
    nodes.forEach(n => taken.add(n))
    return [{ anchor, onScores: found.nodes.slice(1, -1), nodes: graph.nodes.filter(n => nodes.has(n)) }]
  })
}

interface Found {
  readonly first: Node
  readonly anchor: Node
  /** What the first product gives. */
  readonly scores: Value
  /** Both products and all between. */
  readonly nodes: readonly Node[]
}

/** The first product and all between it and the second, whose left-hand side it becomes. */
const behind = (anchor: Node, options: AttentionOptions): Found | undefined => {
  const [weights, values] = anchor.operands
  if (weights === undefined || values === undefined || anchor.attrs['transposeLhs'] === true) return undefined
  const products = new Set<Node>()
  const carried = new Set<Node>()
  const leads = new Map<Node, boolean>()
  /** Whether a value comes from a product by way of nodes that may stand between. */
  const leadsTo = (node: Node | undefined): boolean => {
    if (node === undefined) return false
    const known = leads.get(node)
    if (known !== undefined) return known
    leads.set(node, false)
    if (node.op === 'matmul') {
      const [result] = node.results
      const alike = result !== undefined && sameShape(result, weights)
      if (alike) products.add(node)
      leads.set(node, alike)
      return alike
    }
    if (!mayStandBetween(node)) return false
    const found = node.operands.map(v => leadsTo(v?.node)).some(x => x)
    leads.set(node, found)
    if (found) carried.add(node)
    return found
  }
  if (weights.node?.op === 'matmul' || !leadsTo(weights.node)) return undefined
  const [first, ...more] = products
  const scores = first?.results[0]
  if (first === undefined || scores === undefined || more.length > 0) return undefined
  // A constant right-hand side is packed at build for a kernel of its own.
  if ([first.operands[1], values].some(v => v?.node?.op === 'constant')) return undefined
  const between = options.graph.nodes.filter(n => carried.has(n))
  const inside = new Set([first, ...between, anchor])
  // Nobody else may want what is never stored.
  if ([first, ...between].some(n => options.isOutput(n) || options.usersOf(n).some(u => !inside.has(u))))
    return undefined
  if (anchor.operands.filter(v => v === weights).length !== 1) return undefined
  return rowsAlone(between, scores) ? { first, anchor, scores, nodes: [first, ...between, anchor] } : undefined
}

const sameShape = (a: Value, b: Value): boolean =>
  a.type.shape.length === b.type.shape.length && a.type.shape.every((d, i) => d.key === b.type.shape[i]?.key)

const mayStandBetween = (node: Node): boolean => {
  const { class: kind } = opNamed(node.op)
  return (
    node.results.length === 1 &&
    (isComputedWhole(node) || (opNamed(node.op).compute !== undefined && kind !== 'contraction'))
  )
}

/** Whether every node computes row by row, and some look at whole rows. */
const rowsAlone = (between: readonly Node[], scores: Value): boolean => {
  const carried = new Set([scores])
  let reduces = false
  const visit = (node: Node): boolean => {
    if (isComputedWhole(node)) {
      const builder = new GraphBuilder('whole')
      const inputs = node.operands.map((v, i) => v && builder.input(`x${i}`, v.type))
      inputs.forEach((input, i) => {
        const operand = node.operands[i]
        if (input !== undefined && operand !== undefined && carried.has(operand)) carried.add(input)
      })
      const made = decomposeNode(node, inputs, builder)
      const { nodes } = builder.finish(Object.fromEntries(made.map((v, i) => [`y${i}`, v])))
      if (!nodes.every(visit)) return false
      if (made.some(v => carried.has(v))) node.results.forEach(r => carried.add(r))
      return true
    }
    if (!node.operands.some(v => v !== undefined && carried.has(v))) return true
    const element = elementOf(node)
    const [result] = node.results
    if (element === undefined || result === undefined || result.type.shape.length !== scores.type.shape.length)
      return false
    const last = scores.type.shape.length - 1
    const own = element.reads.every(({ operand, indices, guarded }) => {
      const value = node.operands[operand]
      if (value === undefined || !carried.has(value)) return true
      return (
        !guarded &&
        indices.every(
          (index, i) =>
            i === last ||
            (index.kind === 'var' && index.name === `d${i}`) ||
            ix.isConst(value.type.shape[i] ?? index, 1),
        )
      )
    })
    const rows = result.type.shape.slice(0, -1).every((d, i) => d.key === scores.type.shape[i]?.key)
    reduces ||= accessOf(node)?.reduces === true
    node.results.forEach(r => carried.add(r))
    return own && rows
  }
  return between.every(visit) && reduces
}

/** Why a matrix of scores is better stored, if it is. */
const refusal = ({ scores, nodes, first, anchor }: Found, options: AttentionOptions): string | undefined => {
  const { graph, nearBytes } = options
  if (options.unwanted) return 'options say so'
  if (nearBytes === undefined) return 'kernels of this target have no memory of their own for a block of them'
  const ranges = symbolRanges(graph.symbols)
  const [rows, columns] = scores.type.shape.slice(-2)
  if (rows === undefined || columns === undefined) return 'they are no matrix'
  if (nodes.some(n => n.results.some(r => r.type.dtype !== 'f32' && r.type.dtype !== 'bool')))
    return 'blocks are made for f32'
  const narrow = [columns, first.operands[0]?.type.shape.at(-1), anchor.results[0]?.type.shape.at(-1)].some(
    d => d === undefined || (ix.isConst(d) && d.value < lanes),
  )
  if (narrow) return 'their products are too narrow for tiles'
  const most = rangeOf(columns, ranges).max
  if (rangeOf(rows, ranges).max < fewRows) return `${rows.key} rows are as soon written as kept`
  if (!Number.isFinite(most)) return `nothing bounds ${columns.key}, and a block keeps whole rows`
  const block = tileRows * copies * bytesOfScore * most
  return block > nearBytes ? `${tileRows} rows take ${block} bytes, over ${nearBytes} that stay near` : undefined
}

/** What only moves the elements of operands, for nobody else: it is done where they are read. */
const before = ({ first, anchor }: Found, { usersOf, isOutput }: AttentionOptions): readonly Node[] => {
  const moved: Node[] = []
  const visit = (value: Value | undefined, reader: Node): void => {
    const node = value?.node
    if (node === undefined || isOutput(node) || !(node.op === 'transpose' || isCut(node))) return
    if (usersOf(node).some(u => u !== reader)) return
    moved.push(node)
    node.operands.forEach(v => visit(v, node))
  }
  first.operands.forEach(v => visit(v, first))
  visit(anchor.operands[1], anchor)
  return moved
}

/** Element-wise work on the result, and where its elements are to be. */
const after = (anchor: Node, { usersOf, isOutput }: AttentionOptions): readonly Node[] => {
  const added: Node[] = []
  for (let node = anchor; !isOutput(node);) {
    const [next, ...more] = usersOf(node)
    if (next === undefined || more.length > 0 || next.results.length !== 1) break
    if (!next.operands.includes(node.results[0])) break
    const access = accessOf(next)
    if (next.op !== 'transpose' && !(access !== undefined && isElementwise(next, access))) break
    added.push(next)
    if (next.op === 'transpose') break
    node = next
  }
  return added
}
