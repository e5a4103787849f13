/** @file Lowers a region's body to unscheduled kernels, each correct on every executor. */
import {
  type Graph,
  type Kernel,
  LoopBuilder,
  type Numerics,
  type PhysicalDim,
  type Scalar,
  type Span,
  type Stmt,
  type Value,
  numericsLevels,
} from '@quern/core-ir'
import { collapse } from './collapse.ts'
import { lowerCompute } from './lower-compute.ts'
import { lowerLoops } from './lower-loops.ts'
import type { LoweredRegion, Stage } from './lowered-region.ts'
import { Params } from './params.ts'
import { withPhysicalParams } from './physical-params.ts'
import { type Group, type PartitionLimits, partition } from './partition.ts'
import { type RegionContext, regionContext } from './region-context.ts'
import { splitReductions } from './split-reductions.ts'
import { symbolsOf, touched } from './touched.ts'
import { wholeGroup } from './whole-group.ts'

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
  /** One kernel computes all, and stores nothing but the results. */
  readonly together?: boolean
  /** Gives every nest a loop, over one row where its result is one element: what a workgroup is bound to. */
  readonly loopOverOne?: boolean
  /** What the loops that an op is written in may change. */
  readonly permits?: Numerics
  /** Where the elements of inputs and outputs lie; row-major where nothing is said. */
  readonly layouts?: ReadonlyMap<Value, readonly PhysicalDim[]>
  /** Long reductions to fewer results are written in parts. */
  readonly enoughResults?: number
}

/** @param body without composites and nested regions (see `flattenBody`) */
export const lowerRegion = (body: Graph, options: LowerOptions): LoweredBody => {
  const context = regionContext(body, options.literals)
  const outputs = new Set(body.outputs.map(o => o.value))
  const { loopOverOne = false, enoughResults = 0, together = false } = options
  const { groups, stored } = together ? { groups: [wholeGroup(context)], stored: outputs } : partition(context, options)
  const split = groups
    .flatMap((group, i) =>
      lowerGroup(context, group, stored, {
        ...options,
        name: groups.length === 1 ? options.name : `${options.name}_${i + 1}`,
      }),
    )
    .map(kernel =>
      together
        ? { kernels: [kernel], scratch: [] }
        : splitReductions(kernel, [...body.symbols.values()], { enoughResults, loopOverOne }),
    )
  return {
    kernels: split.flatMap(s => s.kernels),
    scratch: [...[...stored].filter(v => !outputs.has(v)), ...split.flatMap(s => s.scratch)],
  }
}

const lowerGroup = (
  context: RegionContext,
  group: Group,
  stored: ReadonlySet<Value>,
  options: LowerOptions,
): RegionKernel[] => {
  const symbols = context.graph.symbols
  const builder = new LoopBuilder(symbols.keys())
  const params = new Params(builder)
  const stages: Stage[] = []
  const origins: Span[] = []
  let { name } = options
  const layouts = new Map(options.layouts)
  const local = new Map<string, readonly PhysicalDim[]>()
  const mayReassociate = numericsLevels.indexOf(options.permits ?? 'exact') >= numericsLevels.indexOf('reassociates')
  if (group.kind === 'loops') {
    const machine = { kind: options.loopOverOne === true ? ('grid' as const) : ('thread' as const), mayReassociate }
    const form = lowerLoops(context, group.node, stored, builder, params, stages, machine)
    // The choice is in the kernel's name.
    if (form !== undefined) name = `${name}_${form}`
  } else {
    // One nest writes all roots, so that it goes along the memory of one of them.
    const order = group.roots.map(r => layouts.get(r)).find(d => d !== undefined)
    lowerCompute(context, group, builder, params, stages, {
      loopOverOne: options.loopOverOne === true,
      ...(order !== undefined && { order }),
      placeLocal: buffer => {
        if (order !== undefined) local.set(buffer, order)
      },
    })
  }
  for (const v of group.kind === 'loops' ? [group.node] : group.roots.map(r => r.node))
    if (v?.origin !== undefined) origins.push(v.origin)
  const written = builder.finish()
  const parts = group.kind === 'loops' && options.loopOverOne === true ? independentParts(written) : [written]
  return parts.map((body, i) => {
    const { params: list, args } = params.finish(body)
    const physical = new Map(local)
    for (const [i, value] of args.entries()) {
      const dims = layouts.get(value)
      const param = list[i]
      if (dims !== undefined && param !== undefined) physical.set(param.name, dims)
    }
    const logical: Kernel = {
      name: parts.length === 1 ? name : `${name}_${i + 1}`,
      symbols: symbolsOf(symbols.values(), body, list),
      params: list,
      body,
      origins,
    }
    const kernel = withPhysicalParams(logical, physical)
    const { written: stores } = touched(body)
    return {
      region: collapse({ kernel, stages: stages.filter(s => s.role !== 'loops' || stores.has(s.buffer)) }),
      args,
    }
  })
}

/**
 * Nests that share nothing but params, as the bodies of kernels of their own: on a grid one kernel cannot wait for another
 * part of itself.
 */
const independentParts = (body: readonly Stmt[]): readonly (readonly Stmt[])[] =>
  body.every(s => s.kind === 'for') ? body.map(s => [s]) : [body]
