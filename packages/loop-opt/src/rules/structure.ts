/** @file What rules ask of a lowered region: its reductions, its last nest, and along which axis its loads are contiguous. */
import { type Index, type Scalar, type Stmt, ix } from '@quern/core-ir'
import type { LoweredRegion, Stage } from '../lower/lowered-region.ts'
import { type Access, accessesOf } from '../schedule/access.ts'
import { tryFindLoop } from '../schedule/locate.ts'
import { computeAt } from '../schedule/primitives/compute-at.ts'
import { reorder } from '../schedule/primitives/reorder.ts'
import { setSpace } from '../schedule/primitives/set-space.ts'
import type { Schedule } from '../schedule/schedule.ts'
import { type For, variablesOf, visitScalars, visitStmts } from '../schedule/tree.ts'
import { tryEdit } from './rule.ts'

export const updatesOf = (stages: readonly Stage[]): Stage[] => stages.filter(s => s.role === 'update')

/** The stage that writes params: the last one. */
export const rootOf = (stages: readonly Stage[]): Stage | undefined => stages.filter(s => s.role === 'store').at(-1)

/** The outermost loop of a stage's nest, as it stands now. */
export const nestOf = (s: Schedule, stage: Stage): For | undefined => {
  const [axis] = [...stage.spatial, ...stage.reduce]
  return axis === undefined ? undefined : tryFindLoop(s.kernel, axis)?.loop
}

/** Of the axes, the one along which most accesses step through neighbouring elements. */
export const contiguousAxis = (accesses: readonly Access[], axes: readonly string[]): string | undefined => {
  const score = (axis: string): number => accesses.filter(a => stepsAlong(a.indices, axis)).length
  const [best] = [...axes].map(axis => ({ axis, score: score(axis) })).sort((a, b) => b.score - a.score)
  return best === undefined || best.score === 0 ? undefined : best.axis
}

/** Whether a step of the axis is a step of one element: it stands in the last subscript alone, with coefficient one. */
export const stepsAlong = (indices: readonly Index[], axis: string): boolean =>
  indices.every((index, d) => {
    if (d < indices.length - 1) return !variablesOf(index).has(axis)
    if (index.kind === 'var') return index.name === axis
    return (
      index.kind === 'sum' &&
      index.terms.some(
        t => t.coef === 1 && t.factors.length === 1 && t.factors[0]?.kind === 'var' && t.factors[0].name === axis,
      )
    )
  })

/** The loads from params in a stage's nest. */
export const paramLoads = (s: Schedule, stage: Stage): Access[] => {
  const nest = nestOf(s, stage)
  const params = new Set(s.kernel.params.map(p => p.name))
  return nest === undefined ? [] : accessesOf([nest]).filter(a => a.kind === 'read' && params.has(a.buffer))
}

export interface Reduction {
  readonly init: Stage
  readonly update: Stage
  readonly store: Stage
}

/** A region of one reduction, its fill, and one nest of stores behind it. */
export const reductionOf = ({ stages }: LoweredRegion): Reduction | undefined => {
  const [update, ...more] = updatesOf(stages)
  const init = stages.find(s => s.role === 'init')
  const stores = stages.filter(s => s.role === 'store')
  const [store] = stores
  if (update === undefined || init === undefined || store === undefined || more.length > 0) return undefined
  return stores.every(s => s.spatial[0] === store.spatial[0]) ? { init, update, store } : undefined
}

export const mentions = (a: Access, axis: string): boolean => a.indices.some(i => variablesOf(i).has(axis))

/** An axis along which the loads of neighbouring columns are used again. */
export const reusedAxis = (update: Stage, loads: readonly Access[], column: string): string | undefined =>
  update.spatial
    .slice(0, -1)
    .filter(axis => loads.some(a => mentions(a, column) && !mentions(a, axis)))
    .at(-1)

export interface Rows {
  readonly schedule: Schedule
  /** Axes of the last nest that all its reductions share, outermost first; then the others. */
  readonly rows: readonly string[]
  readonly inner: readonly string[]
}

/** The last nest with the axes outside that its reductions are indexed by: one iteration of those needs one result of each. */
export const rowsFirst = (s: Schedule): Rows | undefined => {
  const root = rootOf(s.stages)
  const nest = root && nestOf(s, root)
  if (root === undefined || nest === undefined) return undefined
  // Sums themselves, or what was made of them once a row.
  const used = accessesOf([nest]).filter(a => isLocal(s, a.buffer))
  const rows = root.spatial.filter(axis => used.some(a => mentions(a, axis)))
  const inner = root.spatial.filter(axis => !rows.includes(axis))
  const ordered = [...rows, ...inner]
  const schedule = ordered.every((a, i) => a === root.spatial[i]) ? s : reorder(s, ...ordered)
  // Over one element there is one loop, and it is the row.
  return rows.length === 0 && inner.length === 1 && ix.isConst(nest.extent, 1)
    ? { schedule, rows: inner, inner: [] }
    : { schedule, rows, inner }
}

/** Computes every private stage next to where the axis of the last nest needs it, and shrinks its buffer to registers. */
export const gatherAt = (s: Schedule, axis: string): Schedule => {
  const root = rootOf(s.stages)
  const inside = s.stages.filter(
    stage => stage.name !== root?.name && stage.buffer !== root?.buffer && isLocal(s, stage.buffer),
  )
  // Last first: each goes to the head of the body, before what needs it.
  const moved = inside.reduceRight((t, stage) => computeAt(t, stage.name, axis), s)
  return [...new Set(inside.map(stage => stage.buffer))].reduce(
    (t, buffer) => tryEdit(t, u => setSpace(u, buffer, 'register')),
    moved,
  )
}

const isLocal = (s: Schedule, buffer: string): boolean => !s.kernel.params.some(p => p.name === buffer)

/** Buffers whose loads are guarded by bounds, with the one number that stands for what is outside. */
export const guardedLoads = (stmts: readonly Stmt[]): Map<string, number> => {
  const fills = new Map<string, number | undefined>()
  const scan = (x: Scalar): void =>
    visitScalars(x, y => {
      if (y.kind !== 'load' || y.guard === undefined) return
      const fill = y.fill?.kind === 'const' ? Number(y.fill.value) : undefined
      fills.set(y.buffer, fills.has(y.buffer) && fills.get(y.buffer) !== fill ? undefined : fill)
    })
  visitStmts(stmts, s => {
    if (s.kind === 'store' || s.kind === 'accumulate' || s.kind === 'let') scan(s.value)
  })
  return new Map([...fills].flatMap(([buffer, fill]) => (fill === undefined ? [] : [[buffer, fill] as const])))
}
