/** @file Writes the nests of ops whose semantics are loops. */
import {
  type Index,
  type LoopBuilder,
  type Node,
  type Value,
  bindOperands,
  ix,
  opNamed,
  scalar as sc,
  symbolRanges,
} from '@quern/core-ir'
import { expander, hintOf } from './expand.ts'
import type { Stage } from './lowered-region.ts'
import type { Params } from './params.ts'
import type { RegionContext } from './region-context.ts'

/** What an op's other forms are chosen by. */
export interface Machine {
  readonly kind: 'thread' | 'grid'
  readonly mayReassociate: boolean
}

/**
 * A nest of loop-language semantics. Operands that are not stored are inlined where the op reads them.
 * @returns the name of the op's form that was written, where it is not the plain one
 */
export const lowerLoops = (
  context: RegionContext,
  node: Node,
  stored: ReadonlySet<Value>,
  builder: LoopBuilder,
  params: Params,
  stages: Stage[],
  machine: Machine,
): string | undefined => {
  const op = opNamed(node.op)
  if (op.loops === undefined) throw new Error(`${node.op} is neither index notation nor loops`)
  const ranges = symbolRanges(context.graph.symbols)
  const bufferOf = (id: string): string | undefined => {
    const value = context.valueOf(id)
    if (value === undefined || context.literals.has(value)) return undefined
    if (context.definitionOf(value) !== undefined && !stored.has(value)) return undefined
    return params.nameOf(value, hintOf(value))
  }
  const { at } = expander(context, bufferOf, ranges, undefined)
  const operands = node.operands.map(
    v =>
      v && {
        name: context.idOf(v),
        type: v.type,
        at: (...indices: readonly (Index | number)[]) => at(v, indices.map(ix.toIndex)),
      },
  )
  const results = node.results.map(r => {
    const name = params.nameOf(r, hintOf(r))
    return {
      name,
      type: r.type,
      at: (...indices: readonly (Index | number)[]) => sc.load(name, r.type.dtype, indices.map(ix.toIndex)),
    }
  })
  const bound = bindOperands(op, operands)
  const form = op.forms?.find(f => f.machine === machine.kind && f.suits(bound, node.attrs, machine.mayReassociate))
  if (form === undefined) op.loops(builder, bound, results, node.attrs)
  else form.write(builder, bound, results, node.attrs)
  for (const r of results) stages.push({ name: r.name, buffer: r.name, spatial: [], reduce: [], role: 'loops' })
  return form?.name
}
