/** @file Gradients become the ops that compute them. */
import { type Graph, copyNode, expandGrads, isGraph, transformGraph } from '@quern/core-ir'
import type { Pass } from './pass.ts'

/** Once nothing is left to be differentiated, it is the value itself. */
const dropStopGradients = (graph: Graph): Graph =>
  transformGraph(graph, (node, operands, builder) => {
    const [x] = operands
    if (node.op === 'stop-gradient' && x !== undefined) return [x]
    if (!Object.values(node.attrs).some(isGraph)) return undefined
    return copyNode(node, operands, builder, dropStopGradients)
  })

export const expandGrad: Pass = {
  name: 'expand-grad',
  doc: 'Every grad becomes its body and what carries gradients back through it; stop-gradient has done its work and goes.',
  run: graph => dropStopGradients(expandGrads(graph)),
}
