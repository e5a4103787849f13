/** @file Replaces every `grad` of a graph, and of those nested in it, by what it stands for. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'
import { copyNode, dropDead, isGraph, transformGraph } from '../graph/transform.ts'
import { filled } from '../ops/calculus.ts'
import { pullBack } from './pull-back.ts'

export const hasGrads = (graph: Graph): boolean =>
  graph.nodes.some(n => n.op === 'grad' || Object.values(n.attrs).some(v => isGraph(v) && hasGrads(v)))

/** The graph itself where there is none. Innermost first: what an outer one differentiates are ops with rules. */
export const expandGrads = (graph: Graph): Graph => {
  if (!hasGrads(graph)) return graph
  const expanded = transformGraph(graph, (node, operands, builder) => {
    if (node.op === 'grad') return expandGrad(node, operands, builder)
    if (!Object.values(node.attrs).some(isGraph)) return undefined
    return copyNode(node, operands, builder, expandGrads)
  })
  return dropDead(expanded)
}

/** The outputs of a `grad` node's body, and the gradients of the first. */
export const expandGrad = (
  { attrs, origin }: Node,
  operands: readonly (Value | undefined)[],
  builder: GraphBuilder,
): readonly Value[] => {
  const { body, wrt } = attrs
  if (!isGraph(body) || !Array.isArray(wrt)) throw new TypeError('grad has a body and wrt')
  const inputs = operands.filter(v => v !== undefined)
  const [value] = body.outputs
  if (value === undefined) throw new TypeError('the body of grad has no output')
  const { outputs, gradients } = pullBack(
    builder,
    expandGrads(body),
    inputs,
    body.outputs.map((_, i) => (i === 0 ? filled(builder, 1, value.value.type) : undefined)),
    inputs.map((_, i) => wrt.includes(i)),
  )
  builder.origin = origin
  const found = wrt.map((i: number) => {
    const input = inputs[i]
    if (input === undefined) throw new RangeError(`grad has no input ${i}`)
    return gradients[i] ?? filled(builder, 0, input.type)
  })
  return [...outputs, ...found]
}
