/** @file Lets the results of a graph be written where they are wanted, so that no copy is needed. */
import { type Graph, type Value, opNamed } from '@quern/core-ir'
import { hintOf } from '../lower/expand.ts'
import { type GraphScope, bufferOf } from './lower-graph.ts'
import type { PlanBuilder } from './plan-builder.ts'

/**
 * Gives each output of a graph its buffer, where a kernel of this graph can write there directly: a reshaped result makes
 * its operand a view of the wanted buffer. Others are copied by `copyOutputs`.
 */
export const assignHomes = (
  graph: Graph,
  wanted: readonly (string | undefined)[],
  homes: Map<Value, string>,
  plan: PlanBuilder,
): void =>
  graph.outputs.forEach(({ value }, i) => {
    const target = wanted[i]
    if (target === undefined) return
    const chain: Value[] = []
    let at = value
    for (;;) {
      chain.push(at)
      const source = at.node?.op === 'reshape' ? at.node.operands[0] : undefined
      if (source === undefined) break
      at = source
    }
    const { node } = at
    if (node === undefined || opNamed(node.op).class === 'constant' || chain.some(v => homes.has(v))) return
    for (const v of chain)
      homes.set(v, v === value ? target : plan.buffer(hintOf(v), 'scratch', v.type, { aliasOf: target }))
  })

/** Copies outputs that are not where they are wanted. All are read before any is overwritten. */
export const copyOutputs = (graph: Graph, wanted: readonly (string | undefined)[], scope: GraphScope): void => {
  const moves = graph.outputs.flatMap(({ value }, i) => {
    const to = wanted[i]
    if (to === undefined) return []
    const from = bufferOf(value, scope)
    return from === to ? [] : [{ from, to, value }]
  })
  const { plan, steps } = scope
  const written = new Set(moves.map(m => plan.rootOf(m.to)))
  const safe = moves.map(m => {
    if (!written.has(plan.rootOf(m.from)) || moves.length === 1) return m
    const kept = plan.buffer(`${scope.prefix}${hintOf(m.value)}_kept`, 'scratch', m.value.type)
    steps.push({ kind: 'copy', from: m.from, to: kept })
    return { ...m, from: kept }
  })
  for (const { from, to } of safe) steps.push({ kind: 'copy', from, to })
}
