/** @file Computes at build what depends on constants only, with the interpreter, up to a size. */
import { type DType } from '@quern/artifact'
import {
  type ConstantData,
  type Graph,
  GraphBuilder,
  type HostTensor,
  type Node,
  type Value,
  bytesOfArray,
  copyNode,
  interpretGraph,
  ix,
  opNamed,
  transformGraph,
  usersOf,
} from '@quern/core-ir'
import { countOf, isComputable, repeating } from './known-constants.ts'
import type { Pass, PassContext } from './pass.ts'

/** Larger results are left to run time: they would cost more bytes over the wire than they save in time. */
export const foldedElements = 64 * 1024
/** Element visits that all folding of a graph may take: an untrusted model must not keep a build busy. */
export const foldingBudget = 1 << 22
/** Up to this many elements a result is written into the graph's text; beyond, its bytes are a source. */
const inlineElements = 64

const isFoldable = (node: Node, folded: ReadonlySet<Node>): boolean => {
  if (repeating.has(node.op) || node.operands.length === 0 || !isComputable(node)) return false
  const known = (v: Value | undefined): boolean =>
    v === undefined ||
    (v.node !== undefined &&
      (v.node.op === 'constant' ||
        (v.node.op === 'broadcast' && v.type.shape.every(d => ix.isConst(d)) && known(v.node.operands[0])) ||
        folded.has(v.node)))
  return node.operands.every(known) && node.results.every(r => (countOf(r) ?? Infinity) <= foldedElements)
}

/** Elements that the interpreter visits, at most: every result of a reduction may read every operand. */
const workOf = (node: Node): number => {
  const read = node.operands.reduce((sum, v) => sum + (v === undefined ? 0 : (countOf(v) ?? Infinity)), 0)
  const made = node.results.reduce((sum, v) => sum + (countOf(v) ?? Infinity), 0)
  return opNamed(node.op).class === 'injective' ? read + made : read + read * made
}

/** Halves are held as bits, which a list of values cannot say. */
const asConstant = (t: HostTensor, context: PassContext): ConstantData =>
  t.data.length <= inlineElements && t.dtype !== 'f16'
    ? { kind: 'inline', values: Array.from<number | bigint>(t.data) }
    : context.store(bytesOfArray(t.data))

const run = async (graph: Graph, context: PassContext): Promise<Graph> => {
  const folded = new Set<Node>()
  let budget = foldingBudget
  for (const node of graph.nodes) {
    if (!isFoldable(node, folded)) continue
    const work = workOf(node)
    if (work > budget) continue
    budget -= work
    folded.add(node)
  }
  if (folded.size === 0) return graph
  const users = usersOf(graph)
  const outputs = new Set(graph.outputs.map(o => o.value))
  const needed = [...folded]
    .flatMap(n => n.results)
    .filter(r => outputs.has(r) || (users.get(r) ?? []).some(u => !folded.has(u)))

  // One graph of everything that can be known, with a result for each value that the rest needs.
  const builder = new GraphBuilder('folded', graph.symbols)
  const copies = new Map<Value, Value>()
  const copy = (value: Value): Value => {
    const known = copies.get(value)
    if (known !== undefined) return known
    if (value.node === undefined) throw new Error('an input is no constant')
    const results = copyNode(
      value.node,
      value.node.operands.map(v => v && copy(v)),
      builder,
    )
    value.node.results.forEach((r, i) => copies.set(r, results[i] as Value))
    return copy(value)
  }
  const inner = builder.finish(Object.fromEntries(needed.map((r, i) => [`y${i}`, copy(r)])))
  const values = await interpretGraph(inner, {}, { constant: d => context.bytesOf(d.source, d.offset, d.length) })
  const constants = new Map<Value, { data: ConstantData; dtype: DType; shape: readonly number[] }>()
  needed.forEach((r, i) => {
    const t = values[`y${i}`]
    if (t !== undefined) constants.set(r, { data: asConstant(t, context), dtype: t.dtype, shape: t.shape })
  })
  context.note(needed.map(r => ({ rule: 'fold-constants', at: r.node?.origin, op: r.node?.op ?? '' })))
  return transformGraph(graph, (node, operands, into) => {
    if (!folded.has(node)) return undefined
    return node.results.map((r, i) => {
      const constant = constants.get(r)
      if (constant === undefined) return copyNode(node, operands, into)[i] as Value
      return into.addTyped('constant', [], { ...constant }, [r.type], r.name)[0] as Value
    })
  })
}

export const foldConstants: Pass = {
  name: 'fold-constants',
  doc: 'What depends on constants only is computed by the interpreter, up to 64 Ki elements a result.',
  run,
}
