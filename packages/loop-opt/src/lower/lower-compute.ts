/** @file Writes the nests of index notation: fill, accumulate, store. */
import {
  type Index,
  type LoopBuilder,
  type PhysicalDim,
  type Ranges,
  type ReduceAxis,
  axisRange,
  ix,
  neutralOf,
  provesLess,
  scalar as sc,
  symbolRanges,
} from '@quern/core-ir'
import { expander, hintOf, identifier } from './expand.ts'
import type { Stage } from './lowered-region.ts'
import type { Params } from './params.ts'
import type { ComputeGroup } from './partition.ts'

import type { RegionContext } from './region-context.ts'

export interface ComputeOptions {
  /** Gives every nest a loop, over one row where its result is one element. */
  readonly loopOverOne: boolean
  /** Physical dims of the roots: nests over their shape go along them. */
  readonly order?: readonly PhysicalDim[]
  /** Told of each local buffer that has the shape of the roots. */
  readonly placeLocal: (buffer: string) => void
}

export const lowerCompute = (
  context: RegionContext,
  group: ComputeGroup,
  builder: LoopBuilder,
  params: Params,
  stages: Stage[],
  { loopOverOne, order, placeLocal }: ComputeOptions,
): void => {
  const ranges = symbolRanges(context.graph.symbols)
  const rootShape = group.roots[0]?.type.shape ?? []
  /** Physical dims of a nest over a whole shape: those of the roots, if it is theirs. */
  const dimsOver = (axes: readonly ReduceAxis[]): readonly PhysicalDim[] =>
    order !== undefined && hasRootShape(axes.map(a => a.extent)) ? order : axes.map((_, dim) => ({ dim }))
  const hasRootShape = (shape: readonly Index[]): boolean =>
    shape.length === rootShape.length && shape.every((d, i) => ix.sameIndex(d, rootShape[i] ?? -1))
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
    const loop = (kind: 'spatial' | 'reduce', hint: string, extent: Index, next: (variable: Index) => void): void => {
      if (ix.isConst(extent, 1)) return next(ix.constant(0))
      builder.for(hint, extent, variable => {
        if (variable.kind === 'var') {
          known.set(variable.name, axisRange(extent, known))
          names[kind].push(variable.name)
        }
        next(variable)
      })
    }
    const reduced = (depth: number, subscripts: ReadonlyMap<string, Index>, at: readonly Index[]): void => {
      const axis = reduce[depth]
      if (axis === undefined) return write(subscripts, at, known, one)
      loop('reduce', `${stage}_k${depth}`, substituteIndex(axis.extent, subscripts), variable =>
        reduced(depth + 1, new Map([...subscripts, [axis.name, variable]]), at),
      )
    }
    /** Around what stands beyond the last element of a dim, in a block that is not full. */
    const within = (at: readonly Index[], body: () => void): void => {
      const outside = at.flatMap((index, d) => {
        const extent = spatial[d]?.extent ?? ix.constant(1)
        return provesLess(index, extent, known) ? [] : [sc.binary('lt', sc.indexScalar(index), sc.indexScalar(extent))]
      })
      const [first, ...more] = outside
      if (first === undefined) body()
      else
        builder.if(
          more.reduce((a, b) => sc.binary('and', a, b), first),
          body,
        )
    }
    const dims = dimsOver(spatial)
    const cut = dims.some(d => 'part' in d)
    const go = (depth: number, at: readonly Index[]): void => {
      const dim = dims[depth]
      if (dim === undefined) {
        const subscripts = new Map(spatial.map((axis, d) => [axis.name, at[d] ?? ix.constant(0)]))
        return cut ? within(at, () => reduced(0, subscripts, at)) : reduced(0, subscripts, at)
      }
      const whole = spatial[dim.dim]?.extent ?? ix.constant(1)
      const [part, extent, step] = !('part' in dim)
        ? (['', whole, 1] as const)
        : dim.part === 'block'
          ? (['b', ix.ceilDiv(whole, dim.by), dim.by] as const)
          : (['l', ix.constant(dim.by), 1] as const)
      loop('spatial', `${stage}_i${dim.dim}${part}`, extent, variable =>
        go(
          depth + 1,
          at.map((x, d) => (d === dim.dim ? ix.add(x, ix.mul(variable, step)) : x)),
        ),
      )
    }
    const start = spatial.map(() => ix.constant(0))
    if (!loopOverOne || spatial.some(a => !ix.isConst(a.extent, 1))) go(0, start)
    else
      builder.for(`${stage}_one`, 1, variable => {
        if (variable.kind === 'var') names.spatial.push(variable.name)
        one = variable
        go(0, start)
      })
    return names
  }

  for (const stage of group.private) {
    if (stage.kind === 'value') {
      const definition = context.definitionOf(stage.value)
      if (definition === undefined) throw new Error(`${stage.id} is not defined`)
      const buffer = builder.alloc(hintOf(stage.value), stage.value.type.dtype, stage.value.type.shape, 'private')
      if (hasRootShape(stage.value.type.shape)) placeLocal(buffer.name)
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
    if (hasRootShape(shape)) placeLocal(buffer.name)
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
