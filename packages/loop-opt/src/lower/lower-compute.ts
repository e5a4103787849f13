/** @file Writes the nests of index notation: fill, accumulate, store. */
import {
  type Index,
  type LoopBuilder,
  type Ranges,
  type ReduceAxis,
  axisRange,
  ix,
  neutralOf,
  scalar as sc,
  symbolRanges,
} from '@quern/core-ir'
import { expander, hintOf, identifier } from './expand.ts'
import type { Stage } from './lowered-region.ts'
import type { Params } from './params.ts'
import type { ComputeGroup } from './partition.ts'

import type { RegionContext } from './region-context.ts'

export const lowerCompute = (
  context: RegionContext,
  group: ComputeGroup,
  builder: LoopBuilder,
  params: Params,
  stages: Stage[],
  loopOverOne: boolean,
): void => {
  const ranges = symbolRanges(context.graph.symbols)
  const inside = new Map<string, string>()
  const hints = new Map(group.roots.map(r => [r, hintOf(r)]))
  for (const value of context.graph.inputs)
    if (group.reads.has(context.idOf(value.value))) params.nameOf(value.value, identifier(value.name))
  const bufferOf = (id: string): string | undefined => {
    const own = inside.get(id)
    if (own !== undefined) return own
    const value = context.valueOf(id)
    if (value === undefined || context.literals.has(value) || !group.reads.has(id)) return undefined
    return params.nameOf(value, hintOf(value))
  }
  /** Loops over axes; the body gets their variables by the names in definitions. */
  const nest = (
    stage: string,
    spatial: readonly ReduceAxis[],
    reduce: readonly ReduceAxis[],
    write: (
      subscripts: ReadonlyMap<string, Index>,
      at: readonly Index[],
      ranges: Ranges,
      /** The loop over one, where the nest has no other. */
      one: Index | undefined,
    ) => void,
  ): { spatial: string[]; reduce: string[] } => {
    const names: { spatial: string[]; reduce: string[] } = { spatial: [], reduce: [] }
    const known = new Map(ranges)
    let one: Index | undefined
    const go = (depth: number, subscripts: ReadonlyMap<string, Index>, at: readonly Index[]): void => {
      const isSpatial = depth < spatial.length
      const axis = isSpatial ? spatial[depth] : reduce[depth - spatial.length]
      if (axis === undefined) return write(subscripts, at, known, one)
      const extent = substituteIndex(axis.extent, subscripts)
      if (ix.isConst(extent, 1)) {
        const zero = ix.constant(0)
        return go(depth + 1, new Map([...subscripts, [axis.name, zero]]), isSpatial ? [...at, zero] : at)
      }
      const hint = `${stage}_${isSpatial ? 'i' : 'k'}${isSpatial ? depth : depth - spatial.length}`
      builder.for(hint, extent, variable => {
        if (variable.kind === 'var') {
          known.set(variable.name, axisRange(extent, known))
          names[isSpatial ? 'spatial' : 'reduce'].push(variable.name)
        }
        go(depth + 1, new Map([...subscripts, [axis.name, variable]]), isSpatial ? [...at, variable] : at)
      })
    }
    if (!loopOverOne || spatial.some(a => !ix.isConst(a.extent, 1))) go(0, new Map(), [])
    else
      builder.for(`${stage}_one`, 1, variable => {
        if (variable.kind === 'var') names.spatial.push(variable.name)
        one = variable
        go(0, new Map(), [])
      })
    return names
  }

  for (const stage of group.private) {
    if (stage.kind === 'value') {
      const definition = context.definitionOf(stage.value)
      if (definition === undefined) throw new Error(`${stage.id} is not defined`)
      const buffer = builder.alloc(hintOf(stage.value), stage.value.type.dtype, stage.value.type.shape, 'private')
      const axes = nest(buffer.name, definition.axes, [], (subscripts, at, known) =>
        builder.store(buffer, at, expander(context, bufferOf, known, builder).expand(definition.scalar, subscripts)),
      )
      stages.push({ name: buffer.name, buffer: buffer.name, ...axes, role: 'store' })
      inside.set(stage.id, buffer.name)
      continue
    }
    const { accumulator } = stage
    const owner = context.accumulatorOf(stage.id)?.owner
    const alone = group.private.length === 1
    const hint = alone ? 'acc' : identifier(owner?.node?.op ?? 'acc')
    const shape = accumulator.axes.map(a => a.extent)
    const buffer = builder.alloc(hint, accumulator.dtype, shape, 'private')
    const { reducer } = accumulator
    const init = nest(`${buffer.name}_init`, accumulator.axes, [], (_, at) =>
      builder.store(buffer, at, sc.literal(neutralOf(reducer, accumulator.dtype), accumulator.dtype)),
    )
    stages.push({ name: `${buffer.name}_init`, buffer: buffer.name, ...init, role: 'init' })
    const update = nest(buffer.name, accumulator.axes, accumulator.reduceAxes, (subscripts, at, known) =>
      builder.accumulate(
        buffer,
        at,
        reducer,
        expander(context, bufferOf, known, builder).expand(accumulator.body, subscripts),
      ),
    )
    stages.push({ name: buffer.name, buffer: buffer.name, ...update, role: 'update' })
    inside.set(stage.id, buffer.name)
  }

  const [first] = group.roots
  if (first === undefined) return
  const axes = context.definitionOf(first)?.axes ?? []
  const hint = builder.fresh(hints.get(first) ?? 'out')
  const outs = group.roots.map((root, i) => (i === 0 ? params.adopt(root, hint) : params.nameOf(root, hintOf(root))))
  const names = nest(hint, axes, [], (_, at, known, one) => {
    const { at: element } = expander(context, bufferOf, known, builder)
    group.roots.forEach((root, i) => {
      if (one !== undefined) params.asRow(root)
      builder.store({ name: outs[i] ?? hint }, one === undefined ? at : [one], element(root, at))
    })
  })
  for (const out of outs) stages.push({ name: out, buffer: out, ...names, role: 'store' })
}

const substituteIndex = (i: Index, subscripts: ReadonlyMap<string, Index>): Index =>
  ix.mapAtoms(i, a => (a.kind === 'var' ? subscripts.get(a.name) : undefined))
