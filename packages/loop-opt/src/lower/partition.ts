/**
 * @file Decides which values of a region are stored, and by which kernel. One kernel computes roots of one shape together
 * with the accumulators they read; an accumulator stays inside a kernel where its readers use it at axes of their own, so
 * that a schedule can compute it next to them. Everything else is stored and read back by a later kernel.
 */
import { type Index, type Node, type Scalar, type Value, ix, opNamed, visitLoads } from '@quern/core-ir'
import type { Accumulator } from './definition.ts'
import { dependsOnPrivate, inlinedWeight, substitute } from './inlining.ts'
import type { RegionContext } from './region-context.ts'
import { estimator, weightOf } from './weight.ts'

export interface ComputeGroup {
  readonly kind: 'compute'
  /** Values of one shape, in topological order. */
  readonly roots: Value[]
  /** Buffers private to the kernel, in the order in which they are computed. */
  readonly private: readonly PrivateStage[]
  /** Stored values and inputs that are read. */
  readonly reads: ReadonlySet<string>
}
export type PrivateStage =
  | { readonly kind: 'accumulator'; readonly id: string; readonly accumulator: Accumulator }
  | { readonly kind: 'value'; readonly id: string; readonly value: Value }
export interface LoopsGroup {
  readonly kind: 'loops'
  readonly node: Node
}
export type Group = ComputeGroup | LoopsGroup

export interface Partition {
  readonly groups: readonly Group[]
  /** Outputs that are computed here, results of loop-language ops, and what kernels hand to later ones. */
  readonly stored: ReadonlySet<Value>
}

export interface PartitionLimits {
  readonly buffersPerKernel: number
}

/** What must change before a partition stands: a value to store, or to keep in a private buffer. */
interface Change {
  readonly value: Value
  readonly how: 'store' | 'stage'
}

export const partition = (context: RegionContext, limits: PartitionLimits): Partition => {
  const stored = new Set<Value>()
  const staged = new Set<Value>()
  for (const node of context.graph.nodes)
    if (opNamed(node.op).class === 'loops') for (const v of node.results) stored.add(v)
  for (const { value } of context.graph.outputs) if (context.definitionOf(value) !== undefined) stored.add(value)
  for (;;) {
    const result = attempt(context, limits, stored, staged)
    if (!('how' in result)) return { groups: result.groups, stored }
    if (result.how === 'stage') staged.add(result.value)
    else {
      stored.add(result.value)
      staged.delete(result.value)
    }
  }
}

const attempt = (
  context: RegionContext,
  limits: PartitionLimits,
  stored: ReadonlySet<Value>,
  staged: ReadonlySet<Value>,
): { groups: Group[] } | Change => {
  const groups: Group[] = []
  /** Group that stores a value. */
  const groupOf = new Map<string, number>()
  const homes = new Map<string, number>()
  for (const node of context.graph.nodes) {
    if (opNamed(node.op).class === 'loops') {
      const change = checkLoopsOperands(context, node, stored)
      if (change !== undefined) return change
      for (const v of node.results) groupOf.set(context.idOf(v), groups.length)
      groups.push({ kind: 'loops', node })
      continue
    }
    for (const root of node.results) {
      if (!stored.has(root)) continue
      const placed = place(root)
      if (placed !== undefined) return placed
    }
  }
  return { groups }

  function place(root: Value): Change | undefined {
    for (let i = groups.length - 1; i >= 0; i--) {
      const group = groups[i]
      if (group?.kind !== 'compute' || !sameShape(group.roots[0], root)) continue
      const roots = [...group.roots, root]
      const merged = analyse(context, roots, stored, staged)
      if ('how' in merged) continue
      const early = [...merged.reads].every(id => (groupOf.get(id) ?? -1) < i)
      if (!early || merged.reads.size + roots.length > limits.buffersPerKernel) continue
      if (merged.private.some(p => (homes.get(p.id) ?? i) !== i)) continue
      groups[i] = { kind: 'compute', roots, ...merged }
      settle(i, root, merged.private)
      return undefined
    }
    const alone = analyse(context, [root], stored, staged)
    if ('how' in alone) return alone
    for (const p of alone.private) if (homes.has(p.id)) return { value: ownerOf(context, p), how: 'store' }
    settle(groups.length, root, alone.private)
    groups.push({ kind: 'compute', roots: [root], ...alone })
    return undefined
  }
  function settle(at: number, root: Value, inside: readonly PrivateStage[]): void {
    groupOf.set(context.idOf(root), at)
    for (const p of inside) homes.set(p.id, at)
  }
}

const ownerOf = (context: RegionContext, p: PrivateStage): Value => {
  const owner = p.kind === 'value' ? p.value : context.accumulatorOf(p.id)?.owner
  if (owner === undefined) throw new Error(`${p.id} belongs to no value`)
  return owner
}

const sameShape = (a: Value | undefined, b: Value): boolean =>
  a !== undefined &&
  a.type.shape.length === b.type.shape.length &&
  a.type.shape.every((d, i) => d.key === b.type.shape[i]?.key)

/** Loop-language bodies load an element as often as they like: only what costs next to nothing is inlined into them. */
const checkLoopsOperands = (context: RegionContext, node: Node, stored: ReadonlySet<Value>): Change | undefined => {
  const cheap = (v: Value): boolean => {
    if (stored.has(v)) return true
    const d = context.definitionOf(v)
    if (d === undefined) return true
    let ok = d.accumulators.length === 0 && weightOf(d.scalar) <= 1
    visitLoads(d.scalar, l => {
      const source = context.valueOf(l.buffer)
      if (source !== undefined && !cheap(source)) ok = false
    })
    return ok
  }
  const value = node.operands.find(v => v !== undefined && !cheap(v))
  return value && { value, how: 'store' }
}

interface Nest {
  /** The kernel's axis behind each axis of the nest that indexes its result; undefined for reduce axes. */
  readonly rootAxis: ReadonlyMap<string, string | undefined>
  readonly extents: readonly { readonly name: string; readonly extent: Index }[]
  /** Adds products: its operands are read again and again. */
  readonly contracts: boolean
  /** The value whose own semantics this nest is. */
  readonly owner: Value
}

const analyse = (
  context: RegionContext,
  roots: readonly Value[],
  stored: ReadonlySet<Value>,
  staged: ReadonlySet<Value>,
): { reads: Set<string>; private: PrivateStage[] } | Change => {
  const estimate = estimator(context.graph.symbols.values())
  const reads = new Set<string>()
  const inside: PrivateStage[] = []
  const projections = new Map<string, string>()
  let rowSpace: string | undefined
  let change: Change | undefined
  const owners: Value[] = []
  const want = (value: Value, how: Change['how']): void => {
    // What is stored already cannot move; then the other side of the conflict has to.
    const movable = [value, ...owners].find(v => !stored.has(v))
    if (movable !== undefined) change ??= { value: movable, how: movable === value ? how : 'store' }
  }
  const isRoot = (v: Value): boolean => roots.includes(v)

  const walkNest = (body: Scalar, nest: Nest): void => {
    const inlined = new Map<Value, Set<string>>()
    const seen = new Set<string>()
    const walk = (x: Scalar): void =>
      visitLoads(x, l => {
        const at = l.indices
        const key = `${l.buffer}[${at.map(i => i.key).join(',')}]`
        if (seen.has(key)) return
        seen.add(key)
        const owned = context.accumulatorOf(l.buffer)
        if (owned !== undefined)
          return enter({ kind: 'accumulator', id: l.buffer, accumulator: owned.accumulator }, owned.owner, at, nest)
        const value = context.valueOf(l.buffer)
        if (value === undefined) throw new Error(`nothing is named ${l.buffer}`)
        const definition = context.definitionOf(value)
        if (definition === undefined) {
          if (!context.literals.has(value)) reads.add(l.buffer)
          return
        }
        if (stored.has(value) && !(isRoot(value) && isIdentity(at, nest, value))) {
          reads.add(l.buffer)
          return
        }
        if (staged.has(value)) return enter({ kind: 'value', id: l.buffer, value }, value, at, nest)
        const places = inlined.get(value) ?? new Set<string>()
        inlined.set(value, places.add(at.map(i => i.key).join(',')))
        const subscripts = new Map(definition.axes.map((a, i) => [a.name, at[i] ?? ix.constant(0)]))
        walk(substitute(definition.scalar, subscripts))
      })
    walk(body)
    const domain = nest.extents.reduce((n, a) => n * estimate(a.extent), 1)
    for (const [value, places] of inlined) {
      if (isRoot(value)) continue
      const weight = inlinedWeight(context, value, stored, staged)
      const size = value.type.shape.reduce((n, d) => n * estimate(d), 1)
      const repeats = (places.size * domain) / Math.max(size, 1)
      const local = dependsOnPrivate(context, value, stored)
      const tooMuch = nest.contracts ? weight >= 1 && repeats >= 16 : weight >= (local ? 4 : 8) && repeats >= 4
      if (tooMuch) want(value, local ? 'stage' : 'store')
    }
  }

  const enter = (stage: PrivateStage, owner: Value, at: readonly Index[], nest: Nest): void => {
    const axes = stage.kind === 'accumulator' ? stage.accumulator.axes : context.definitionOf(stage.value)?.axes
    if (axes === undefined) throw new Error(`${stage.id} has no axes`)
    const ownSemantics = owner === nest.owner
    const rootAxis = new Map<string, string | undefined>()
    const used: string[] = []
    axes.forEach((axis, i) => {
      const index = at[i]
      if (ix.isConst(axis.extent, 1)) return rootAxis.set(axis.name, undefined)
      const root = index?.kind === 'var' ? nest.rootAxis.get(index.name) : undefined
      const extent = index?.kind === 'var' ? nest.extents.find(e => e.name === index.name)?.extent : undefined
      if (root !== undefined && extent !== undefined && ix.sameIndex(extent, axis.extent) && !used.includes(root)) {
        used.push(root)
        return rootAxis.set(axis.name, root)
      }
      if (!ownSemantics) want(owner, 'store')
      return rootAxis.set(axis.name, undefined)
    })
    const work = nest.extents.some(e => !ix.isConst(e.extent, 1) && nest.rootAxis.get(e.name) !== undefined)
    if (used.length === 0 && work && !ownSemantics) want(owner, 'store')
    const space = [...used].sort().join(',')
    const projection = axes.map(a => rootAxis.get(a.name) ?? '').join(',')
    if (!ownSemantics || isRoot(owner)) {
      if ((projections.get(stage.id) ?? projection) !== projection) want(owner, 'store')
      rowSpace ??= space
      if (rowSpace !== space) want(owner, 'store')
    }
    if (change !== undefined || projections.has(stage.id)) return
    projections.set(stage.id, projection)
    owners.push(owner)
    if (stage.kind === 'value')
      walkNest(context.definitionOf(stage.value)?.scalar ?? bodyless(stage.id), {
        rootAxis,
        extents: axes,
        contracts: false,
        owner,
      })
    else {
      const { body, reduceAxes, reducer } = stage.accumulator
      walkNest(body, {
        rootAxis,
        extents: [...axes, ...reduceAxes],
        contracts: reducer === 'sum' && isProduct(body),
        owner,
      })
    }
    inside.push(stage)
  }

  for (const root of roots) {
    const definition = context.definitionOf(root)
    if (definition === undefined) throw new Error(`${context.idOf(root)} is not computed`)
    walkNest(definition.scalar, {
      rootAxis: new Map(definition.axes.map(a => [a.name, a.name])),
      extents: definition.axes,
      contracts: false,
      owner: root,
    })
    if (change !== undefined) break
  }
  return change ?? { reads, private: inside }
}

const bodyless = (id: string): never => {
  throw new Error(`${id} has no definition`)
}

const isProduct = (x: Scalar): boolean =>
  x.kind === 'binary' ? x.op === 'mul' : x.kind === 'cast' ? isProduct(x.operand) : false

/** Whether a value is read at the very element that its reader writes. */
const isIdentity = (at: readonly Index[], nest: Nest, value: Value): boolean =>
  at.length === value.type.shape.length &&
  at.every((i, d) => i.kind === 'var' && i.name === `$o${d}` && nest.rootAxis.get(i.name) === i.name)
