/** @file Lowers a region's body to unscheduled kernels, each correct on every executor. */
import {
  type Graph,
  type Index,
  type Kernel,
  LoopBuilder,
  type Node,
  type Param,
  type Ranges,
  type Scalar,
  type Span,
  type Stmt,
  type Value,
  axisRange,
  bindOperands,
  ix,
  opNamed,
  scalar as sc,
  symbolRanges,
} from '@quern/core-ir'
import type { ReduceAxis } from '@quern/core-ir'
import { collapse } from './collapse.ts'
import { expander, hintOf, identifier } from './expand.ts'
import type { LoweredRegion, Stage } from './lowered-region.ts'
import { type ComputeGroup, type Group, type PartitionLimits, partition } from './partition.ts'
import { argUpdate, neutral, worst } from './reducers.ts'
import { type RegionContext, regionContext } from './region-context.ts'
import { symbolsOf, touched } from './touched.ts'

export interface RegionKernel {
  readonly region: LoweredRegion
  /** The body's value behind each param of the kernel. */
  readonly args: readonly Value[]
}

export interface LoweredBody {
  /** In an order in which what a kernel reads has been written. */
  readonly kernels: readonly RegionKernel[]
  /** Values that are neither inputs nor outputs of the body, and that a kernel writes for a later one. */
  readonly scratch: readonly Value[]
}

export interface LowerOptions extends PartitionLimits {
  /** Name of the region's kernels; a second one gets a suffix. */
  readonly name: string
  /** Inputs and constants of the body that are one literal each. */
  readonly literals: ReadonlyMap<Value, Scalar>
}

/** @param body without composites and nested regions (see `flattenBody`) */
export const lowerRegion = (body: Graph, options: LowerOptions): LoweredBody => {
  const context = regionContext(body, options.literals)
  const { groups, stored } = partition(context, options)
  const outputs = new Set(body.outputs.map(o => o.value))
  const kernels = groups.map((group, i) =>
    lowerGroup(context, group, stored, groups.length === 1 ? options.name : `${options.name}_${i + 1}`),
  )
  return { kernels, scratch: [...stored].filter(v => !outputs.has(v)) }
}

/** Params in the making: a buffer for each value that a kernel reads or writes. */
class Params {
  private readonly names = new Map<Value, string>()
  private readonly builder: LoopBuilder
  constructor(builder: LoopBuilder) {
    this.builder = builder
  }
  nameOf(value: Value, hint: string): string {
    const known = this.names.get(value)
    if (known !== undefined) return known
    const name = this.builder.fresh(hint)
    this.names.set(value, name)
    return name
  }
  adopt(value: Value, name: string): string {
    this.names.set(value, name)
    return name
  }
  /** What the statements touch, in the order in which it was named. */
  finish(body: readonly Stmt[]): { params: Param[]; args: Value[] } {
    const { read, written } = touched(body)
    const used = [...this.names].filter(([, name]) => read.has(name) || written.has(name))
    return {
      args: used.map(([value]) => value),
      params: used.map(([value, name]) => ({
        name,
        dtype: value.type.dtype,
        shape: value.type.shape,
        access: !written.has(name) ? 'read' : read.has(name) ? 'read_write' : 'write',
      })),
    }
  }
}

const lowerGroup = (
  context: RegionContext,
  group: Group,
  stored: ReadonlySet<Value>,
  name: string,
): RegionKernel => {
  const symbols = context.graph.symbols
  const builder = new LoopBuilder(symbols.keys())
  const params = new Params(builder)
  const stages: Stage[] = []
  const origins: Span[] = []
  if (group.kind === 'loops') lowerLoops(context, group.node, stored, builder, params, stages)
  else lowerCompute(context, group, stored, builder, params, stages)
  for (const v of group.kind === 'loops' ? [group.node] : group.roots.map(r => r.node))
    if (v?.origin !== undefined) origins.push(v.origin)
  const body = builder.finish()
  const { params: list, args } = params.finish(body)
  const kernel: Kernel = { name, symbols: symbolsOf(symbols.values(), body, list), params: list, body, origins }
  return { region: collapse({ kernel, stages }), args }
}

const lowerCompute = (
  context: RegionContext,
  group: ComputeGroup,
  stored: ReadonlySet<Value>,
  builder: LoopBuilder,
  params: Params,
  stages: Stage[],
): void => {
  const ranges = symbolRanges(context.graph.symbols)
  const inside = new Map<string, string>()
  const hints = new Map(group.roots.map(r => [r, hintOf(r)]))
  for (const value of context.graph.inputs) if (group.reads.has(context.idOf(value.value))) params.nameOf(value.value, identifier(value.name))
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
    write: (subscripts: ReadonlyMap<string, Index>, at: readonly Index[], ranges: Ranges) => void,
  ): { spatial: string[]; reduce: string[] } => {
    const names: { spatial: string[]; reduce: string[] } = { spatial: [], reduce: [] }
    const known = new Map(ranges)
    const go = (depth: number, subscripts: ReadonlyMap<string, Index>, at: readonly Index[]): void => {
      const isSpatial = depth < spatial.length
      const axis = isSpatial ? spatial[depth] : reduce[depth - spatial.length]
      if (axis === undefined) return write(subscripts, at, known)
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
    go(0, new Map(), [])
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
    if (reducer === 'argmax' || reducer === 'argmin') {
      const comparable = accumulator.body.dtype === 'bool' ? 'i32' : accumulator.body.dtype
      const best = builder.alloc(`${buffer.name}_best`, comparable, shape, 'private')
      const init = nest(`${buffer.name}_init`, accumulator.axes, [], (_, at) => {
        builder.store(best, at, worst(reducer, comparable))
        builder.store(buffer, at, sc.literal(0, accumulator.dtype))
      })
      stages.push({ name: `${buffer.name}_init`, buffer: buffer.name, ...init, role: 'init' })
      const update = nest(buffer.name, accumulator.axes, accumulator.reduceAxes, (subscripts, at, known) => {
        const [along] = accumulator.reduceAxes
        const position = along && subscripts.get(along.name)
        if (position === undefined) throw new Error(`${reducer} needs its one axis`)
        const value = sc.cast(expander(context, bufferOf, known, builder).expand(accumulator.body, subscripts), comparable)
        argUpdate(builder, { reducer, value, position, best, at, buffer, dtype: accumulator.dtype })
      })
      stages.push({ name: buffer.name, buffer: buffer.name, ...update, role: 'update' })
    } else {
      const init = nest(`${buffer.name}_init`, accumulator.axes, [], (_, at) =>
        builder.store(buffer, at, neutral(reducer, accumulator.dtype)),
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
    }
    inside.set(stage.id, buffer.name)
  }

  const [first] = group.roots
  if (first === undefined) return
  const axes = context.definitionOf(first)?.axes ?? []
  const hint = builder.fresh(hints.get(first) ?? 'out')
  const outs = group.roots.map((root, i) => (i === 0 ? params.adopt(root, hint) : params.nameOf(root, hintOf(root))))
  const names = nest(hint, axes, [], (_, at, known) => {
    const { at: element } = expander(context, bufferOf, known, builder)
    group.roots.forEach((root, i) => builder.store({ name: outs[i] ?? hint }, at, element(root, at)))
  })
  for (const out of outs) stages.push({ name: out, buffer: out, ...names, role: 'store' })
}

/** A nest of loop-language semantics. Operands that are not stored are inlined where the op reads them. */
const lowerLoops = (
  context: RegionContext,
  node: Node,
  stored: ReadonlySet<Value>,
  builder: LoopBuilder,
  params: Params,
  stages: Stage[],
): void => {
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
    return { name, type: r.type, at: (...indices: readonly (Index | number)[]) => sc.load(name, r.type.dtype, indices.map(ix.toIndex)) }
  })
  op.loops(builder, bindOperands(op, operands), results, node.attrs)
  for (const r of results) stages.push({ name: r.name, buffer: r.name, spatial: [], reduce: [], role: 'loops' })
}

const substituteIndex = (i: Index, subscripts: ReadonlyMap<string, Index>): Index =>
  ix.mapAtoms(i, a => (a.kind === 'var' ? subscripts.get(a.name) : undefined))

