/** @file Makes a region's body a flat list of primitive nodes: composites decomposed, nested regions inlined. */
import { type Graph, bindOperands, inlineGraph, isGraph, opNamed, transformGraph } from '@quern/core-ir'

const flat = (graph: Graph): boolean =>
  graph.nodes.every(({ op }) => {
    const c = opNamed(op).class
    return c !== 'composite' && c !== 'region'
  })

/** Inputs and outputs keep their order and names. Control flow is steps of a plan, or a pass has replaced it: it is in no kernel. */
export const flattenBody = (graph: Graph): Graph => {
  const control = graph.nodes.find(({ op }) => opNamed(op).class === 'control')
  if (control !== undefined) throw new Error(`${control.op} is no part of a kernel: a pass replaces it before lowering`)
  let now = graph
  while (!flat(now))
    now = transformGraph(now, (node, operands, builder) => {
      const op = opNamed(node.op)
      if (op.class === 'composite' && op.decompose !== undefined)
        return op.decompose(builder, bindOperands(op, operands), node.attrs)
      const body = node.attrs['body']
      if (op.class !== 'region' || !isGraph(body)) return undefined
      return inlineGraph(
        body,
        operands.filter(v => v !== undefined),
        builder,
      )
    })
  return now
}
