/**
 * @file The one group of a region that must not be parted: everything between its inputs and its result is private to one
 * kernel, so that a schedule can compute parts of it where they are needed.
 */
import { type Value, visitLoads } from '@quern/core-ir'
import { dependsOnPrivate } from './inlining.ts'
import type { ComputeGroup, PrivateStage } from './partition.ts'
import type { RegionContext } from './region-context.ts'

const none: ReadonlySet<Value> = new Set()

/** A value that a reduction of another one reads is computed first: once, however often it is read. */
export const wholeGroup = (context: RegionContext): ComputeGroup => {
  const { graph, idOf, valueOf } = context
  const roots = graph.outputs.map(o => o.value)
  const staged = new Set<Value>()
  const reads = new Set<string>()
  for (const node of graph.nodes)
    for (const value of node.results) {
      const definition = context.definitionOf(value)
      for (const { body } of definition?.accumulators ?? [])
        visitLoads(body, l => {
          const source = valueOf(l.buffer)
          if (source !== undefined && dependsOnPrivate(context, source, none)) staged.add(source)
        })
      for (const x of definition === undefined ? [] : [definition.scalar, ...definition.accumulators.map(a => a.body)])
        visitLoads(x, l => {
          const source = valueOf(l.buffer)
          if (source !== undefined && context.definitionOf(source) === undefined && !context.literals.has(source))
            reads.add(idOf(source))
        })
    }
  const inside = graph.nodes.flatMap(node =>
    node.results.flatMap((value): PrivateStage[] => [
      ...(context.definitionOf(value)?.accumulators ?? []).map((accumulator): PrivateStage => ({
        kind: 'accumulator',
        id: accumulator.id,
        accumulator,
      })),
      ...(staged.has(value) ? [{ kind: 'value', id: idOf(value), value } as const] : []),
    ]),
  )
  return { kind: 'compute', roots, private: inside, reads }
}
