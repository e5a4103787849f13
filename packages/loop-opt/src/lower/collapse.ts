/**
 * @file Fewer dims for the same memory: dims of extent one are dropped, and neighbouring axes that always step through
 * neighbouring dims together become one. A flat map over any rank is one loop; a batch of rows is two.
 */
import { type BufferDecl, type Index, type Kernel, type Stmt, indicesOf, ix, scalarsOf } from '@quern/core-ir'
import {
  type For,
  childBlocks,
  editStmts,
  rewriteStmts,
  variablesOf,
  visitIndexScalars,
  visitScalars,
  visitStmts,
} from '../schedule/tree.ts'
import type { LoweredRegion, Stage } from './lowered-region.ts'

export const collapse = (region: LoweredRegion): LoweredRegion => {
  let now = dropUnits(region)
  for (;;) {
    const next = mergeOnce(now)
    if (next === undefined) return now
    now = next
  }
}

/** Every subscript list of a kernel, with the buffer it goes into. */
const visitSubscripts = (stmts: readonly Stmt[], visit: (buffer: string, indices: readonly Index[]) => void): void =>
  visitStmts(stmts, s => {
    if (s.kind === 'store' || s.kind === 'accumulate') visit(s.buffer, s.indices)
    for (const x of scalarsOf(s))
      visitScalars(x, y => {
        if (y.kind === 'load') visit(y.buffer, y.indices)
      })
    for (const i of indicesOf(s))
      visitIndexScalars(i, y => {
        if (y.kind === 'load') visit(y.buffer, y.indices)
      })
  })

const declsOf = (kernel: Kernel): BufferDecl[] => {
  const found: BufferDecl[] = [...kernel.params]
  visitStmts(kernel.body, s => {
    if (s.kind === 'alloc') found.push(s.buffer)
  })
  return found
}

/** Rewrites the shapes of buffers and all subscripts into them. */
const reshapeBuffers = (
  kernel: Kernel,
  shapeOf: (b: BufferDecl) => readonly Index[],
  subscripts: (buffer: string, indices: readonly Index[]) => readonly Index[],
): Kernel => ({
  ...kernel,
  params: kernel.params.map(p => ({ ...p, shape: shapeOf(p) })),
  body: editStmts(
    rewriteStmts(kernel.body, {
      access: (buffer, indices) => ({ buffer, indices: subscripts(buffer, indices) }),
    }),
    s => (s.kind === 'alloc' ? [{ ...s, buffer: { ...s.buffer, shape: shapeOf(s.buffer) } }] : undefined),
  ),
})

const plain = (b: BufferDecl): boolean => b.strides === undefined && b.offset === undefined

const dropUnits = (region: LoweredRegion): LoweredRegion => ({
  ...region,
  kernel: dropUnitDims(region.kernel, declsOf(region.kernel)),
})

/** Dims of extent one that every subscript leaves at zero go. */
export const dropUnitDims = (kernel: Kernel, buffers: readonly BufferDecl[]): Kernel => {
  const kept = new Map<string, readonly boolean[]>()
  for (const b of buffers)
    if (plain(b))
      kept.set(
        b.name,
        b.shape.map(d => !ix.isConst(d, 1)),
      )
  visitSubscripts(kernel.body, (buffer, indices) => {
    const flags = kept.get(buffer)
    if (flags !== undefined)
      kept.set(
        buffer,
        flags.map((keep, d) => keep || !ix.isConst(indices[d] ?? ix.constant(1), 0)),
      )
  })
  const keep = <T>(name: string, list: readonly T[]): readonly T[] => list.filter((_, d) => kept.get(name)?.[d] ?? true)
  return reshapeBuffers(kernel, b => keep(b.name, b.shape), keep)
}

/** Locals without dims of one: a vector axis stands last in its registers then. */
export const dropLocalUnits = (kernel: Kernel): Kernel => {
  const params = new Set(kernel.params.map(p => p.name))
  return dropUnitDims(
    kernel,
    declsOf(kernel).filter(b => !params.has(b.name)),
  )
}

/** Merges one pair of axes, and with it every pair that has to follow; undefined where there is none. */
const mergeOnce = (region: LoweredRegion): LoweredRegion | undefined => {
  const { kernel } = region
  const axes = new Map<string, For>()
  const followers = new Map<string, string>()
  visitStmts(kernel.body, s => {
    if (s.kind !== 'for' || s.tag !== 'serial') return
    axes.set(s.axis, s)
    const [inner, ...more] = s.body
    if (inner?.kind === 'for' && more.length === 0 && inner.tag === 'serial') followers.set(s.axis, inner.axis)
  })
  const buffers = new Map(declsOf(kernel).map(b => [b.name, b]))
  /** Axis pairs by their outer axis, and dim pairs as `buffer:d`. */
  const broken = new Set<string>()
  const links = new Map<string, Set<string>>()
  const link = (a: string, b: string): void => {
    links.set(a, (links.get(a) ?? new Set()).add(b))
    links.set(b, (links.get(b) ?? new Set()).add(a))
  }
  const pairsOf = (axis: string): string[] =>
    [...followers].filter(([a, b]) => a === axis || b === axis).map(([a]) => a)
  const breakAxes = (x: Index): void => {
    for (const name of variablesOf(x)) for (const p of pairsOf(name)) broken.add(p)
  }
  visitStmts(kernel.body, s => {
    if (s.kind === 'for') breakAxes(s.extent)
    if (s.kind === 'fail') breakAxes(s.at)
    for (const x of scalarsOf(s))
      visitScalars(x, y => {
        if (y.kind === 'index') breakAxes(y.index)
      })
  })
  visitSubscripts(kernel.body, (buffer, indices) => {
    const decl = buffers.get(buffer)
    const matched = new Set<number>()
    const occurrences = new Map<string, number>()
    for (const i of indices) for (const v of variablesOf(i)) occurrences.set(v, (occurrences.get(v) ?? 0) + 1)
    for (const [a, b] of followers) {
      if (!occurrences.has(a) && !occurrences.has(b)) continue
      const d = indices.findIndex(i => i.kind === 'var' && i.name === a)
      const next = indices[d + 1]
      const together =
        decl !== undefined &&
        plain(decl) &&
        d >= 0 &&
        next?.kind === 'var' &&
        next.name === b &&
        occurrences.get(a) === 1 &&
        occurrences.get(b) === 1 &&
        sameExtent(axes.get(a)?.extent, decl.shape[d]) &&
        sameExtent(axes.get(b)?.extent, decl.shape[d + 1])
      if (!together) {
        broken.add(a)
        continue
      }
      matched.add(d)
      link(a, `${buffer}:${d}`)
    }
    indices.forEach((_, d) => {
      if (d + 1 < indices.length && !matched.has(d)) broken.add(`${buffer}:${d}`)
    })
  })
  for (let grew = true; grew;) {
    grew = false
    for (const [key, others] of links)
      if (!broken.has(key) && [...others].some(o => broken.has(o))) {
        broken.add(key)
        grew = true
      }
  }
  const start = [...followers.keys()].find(a => !broken.has(a) && links.has(a))
  if (start === undefined) return undefined
  const together = new Set([start])
  for (const key of together) for (const other of links.get(key) ?? []) together.add(other)
  return apply(region, together, axes, followers)
}

const sameExtent = (a: Index | undefined, b: Index | undefined): boolean =>
  a !== undefined && b !== undefined && ix.sameIndex(a, b)

const apply = (
  region: LoweredRegion,
  together: ReadonlySet<string>,
  axes: ReadonlyMap<string, For>,
  followers: ReadonlyMap<string, string>,
): LoweredRegion => {
  const merged = (buffer: string, d: number): boolean => together.has(`${buffer}:${d}`)
  /** Replaces dims d and d + 1 by what `join` makes of them. */
  const joinDims = (buffer: string, list: readonly Index[], join: (a: Index, b: Index) => Index): readonly Index[] => {
    const out: Index[] = []
    for (let d = 0; d < list.length; d++) {
      const a = list[d],
        b = list[d + 1]
      if (a === undefined) continue
      if (b !== undefined && merged(buffer, d)) {
        out.push(join(a, b))
        d++
      } else out.push(a)
    }
    return out
  }
  const gone = new Set<string>()
  for (const [a, b] of followers) if (together.has(a)) gone.add(b)
  // The outer axis keeps its name and runs over both.
  const kernel = reshapeBuffers(
    region.kernel,
    decl => joinDims(decl.name, decl.shape, (a, b) => ix.mul(a, b)),
    (buffer, indices) => joinDims(buffer, indices, a => a),
  )
  const body = editStmts(kernel.body, s => {
    if (s.kind !== 'for') return undefined
    const inner = followers.get(s.axis)
    const other = inner === undefined ? undefined : axes.get(inner)
    if (!together.has(s.axis) || other === undefined) return undefined
    const [child] = childBlocks(s)
    const [loop] = child ?? []
    return loop?.kind === 'for' ? [{ ...s, extent: ix.mul(s.extent, other.extent), body: loop.body }] : undefined
  })
  const without = (list: readonly string[]): readonly string[] => list.filter(a => !gone.has(a))
  const stages = region.stages.map((s): Stage => ({ ...s, spatial: without(s.spatial), reduce: without(s.reduce) }))
  return { kernel: { ...kernel, body }, stages }
}
