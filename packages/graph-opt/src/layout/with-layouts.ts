/** @file Layouts written into a graph of regions, and which of its values may have one. */
import { type Graph, type Node, type Value, copyNode, opNamed, transformGraph, usersOf } from '@quern/core-ir'

/** A choice for a value of the graph, as a region's attribute spells it; undefined: row-major. */
export type LayoutOf = (value: Value) => string | undefined

/**
 * Values that only regions see: they alone compose a layout into what they read and write. What crosses to the host, is viewed
 * in another shape, or goes through control flow is row-major.
 */
export const freeValues = (graph: Graph): ReadonlySet<Value> => {
  const users = usersOf(graph)
  const outputs = new Set(graph.outputs.map(o => o.value))
  const isRegion = (node: Node): boolean => opNamed(node.op).class === 'region'
  return new Set(
    graph.nodes
      .filter(isRegion)
      .flatMap(n => n.results)
      .filter(v => !outputs.has(v) && (users.get(v) ?? []).every(isRegion)),
  )
}

/** The graph with the layout of each free value in the region that gives it. */
export const withLayouts = (graph: Graph, layoutOf: LayoutOf): Graph => {
  const free = freeValues(graph)
  return transformGraph(graph, (node, operands, builder) => {
    const texts = node.results.map(r => (free.has(r) ? (layoutOf(r) ?? '') : ''))
    if (texts.every(t => t === '')) return undefined
    return copyNode({ ...node, attrs: { ...node.attrs, layouts: texts } }, operands, builder)
  })
}
