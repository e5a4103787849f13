/** @file Replaces composites that no region computes whole by their decompositions, to the bottom. */
import {
  type Graph,
  type GraphBuilder,
  type Node,
  type Value,
  bindOperands,
  copyNode,
  isGraph,
  opNamed,
  transformGraph,
} from '@quern/core-ir'
import { isComputedWhole } from '../regions/kinds.ts'
import type { Pass } from './pass.ts'

export const decomposeNode = (
  node: Node,
  operands: readonly (Value | undefined)[],
  builder: GraphBuilder,
): readonly Value[] => {
  const op = opNamed(node.op)
  if (op.decompose === undefined) throw new Error(`${node.op} has no decomposition`)
  // Attributes were validated against the op's own specs when the node was made.
  return op.decompose(builder, bindOperands(op, operands), node.attrs as never)
}

export const decomposeComposites = (graph: Graph, keep: (node: Node) => boolean): Graph => {
  let again = false
  const result = transformGraph(graph, (node, operands, builder) => {
    if (Object.values(node.attrs).some(isGraph))
      return copyNode(node, operands, builder, g => decomposeComposites(g, keep))
    if (opNamed(node.op).class !== 'composite' || keep(node)) return undefined
    again = true
    return decomposeNode(node, operands, builder)
  })
  return again ? decomposeComposites(result, keep) : result
}

export const decompose: Pass = {
  name: 'decompose',
  doc: 'Composites become primitives, except those that one kernel computes whole (softmax, norms).',
  run: graph => decomposeComposites(graph, isComputedWhole),
}
