/** @file What depends on what in a graph, by way of any operand. */
import type { Graph, Value } from '../graph/graph.ts'

/** The values that these outputs may depend on. */
export const leadingTo = (body: Graph, outputs: readonly boolean[]): ReadonlySet<Value> => {
  const found = new Set(body.outputs.flatMap((o, i) => (outputs[i] === true ? [o.value] : [])))
  for (const node of [...body.nodes].reverse())
    if (node.results.some(r => found.has(r)))
      for (const operand of node.operands) if (operand !== undefined) found.add(operand)
  return found
}

/** The values that may depend on these inputs. */
export const reachedFrom = (body: Graph, inputs: readonly boolean[]): ReadonlySet<Value> => {
  const found = new Set(body.inputs.flatMap((x, i) => (inputs[i] === true ? [x.value] : [])))
  for (const node of body.nodes)
    if (node.operands.some(o => o !== undefined && found.has(o))) for (const result of node.results) found.add(result)
  return found
}
