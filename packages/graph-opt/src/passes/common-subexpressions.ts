/** @file Merges nodes of the same op, operands and attributes. */
import { type Graph, type Value, copyNode, isGraph, nodeKey, transformGraph } from '@quern/core-ir'
import type { Pass } from './pass.ts'

/** Ops whose every use is its own. */
const distinct: ReadonlySet<string> = new Set(['nonzero'])

const mergeEqual = (graph: Graph): Graph => {
  const ids = new Map<Value, number>()
  const idOf = (value: Value): number => {
    const id = ids.get(value) ?? ids.size
    ids.set(value, id)
    return id
  }
  const seen = new Map<string, readonly Value[]>()
  return transformGraph(graph, (node, operands, builder) => {
    if (Object.values(node.attrs).some(isGraph)) return copyNode(node, operands, builder, mergeEqual)
    const key = distinct.has(node.op) ? undefined : nodeKey({ ...node, operands }, idOf)
    const before = key === undefined ? undefined : seen.get(key)
    if (before !== undefined) return before
    const results = copyNode(node, operands, builder)
    if (key !== undefined) seen.set(key, results)
    return results
  })
}

export const commonSubexpressions: Pass = {
  name: 'common-subexpressions',
  doc: 'Nodes that compute the same thing are computed once.',
  run: mergeEqual,
}
