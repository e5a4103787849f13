/**
 * @file Several reductions over the same columns on a CPU (softmax along an outer axis): vectors hold neighbouring columns
 * from the first stage to the last.
 */
import { weightOf } from '../../lower/weight.ts'
import { tryFindLoop } from '../../schedule/locate.ts'
import { fission } from '../../schedule/primitives/fission.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { split } from '../../schedule/primitives/split.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { visitStmts } from '../../schedule/tree.ts'
import { type ScheduleRule, chainFrom, constantOf, firstOf, isFor, start } from '../rule.ts'
import { contiguousAxis, gatherAt, paramLoads, rowsFirst, updatesOf } from '../structure.ts'
import { inParallel } from './map.ts'
import { lanesIn } from './vector.ts'

/** Vectors of a strip where little is done to an element: four hold a cache line, which is then read once. */
const wide = 4
/** Operations on an element that pay for a cache line by themselves. */
const heavy = 8

export const columnsRule: ScheduleRule = context => {
  const updates = updatesOf(context.region.stages)
  const found = rowsFirst(start(context))
  const axis = found?.rows.at(-1)
  if (found === undefined || axis === undefined || updates.length === 0) return undefined
  const along = updates.map(u => contiguousAxis(paramLoads(found.schedule, u), [...u.spatial, ...u.reduce]))
  if (!updates.every((u, i) => u.spatial.includes(along[i] ?? ''))) return undefined
  const t = gatherAt(found.schedule, axis)
  const made = firstOf(
    () => (heaviest(t, axis) < heavy ? strips(t, axis, wide) : undefined),
    () => strips(t, axis, 1),
  )
  return made && inParallel(made, context)
}

const heaviest = (s: Schedule, axis: string): number => {
  let most = 0
  visitStmts(tryFindLoop(s.kernel, axis)?.loop.body ?? [], x => {
    if (x.kind === 'let' || x.kind === 'store' || x.kind === 'accumulate') most = Math.max(most, weightOf(x.value))
  })
  return most
}

/** Strips of so many vectors, then of one, then single columns. */
const strips = (s: Schedule, axis: string, count: number): Schedule | undefined => {
  const lanes = lanesIn(s, axis)
  const extent = constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
  if (extent !== undefined && extent < count * lanes) return undefined
  let t = split(s, axis, count * lanes, { tail: 'peel' })
  const column = `${axis}_i`
  const parts = tryFindLoop(t.kernel, column)?.loop.body.filter(x => x.kind !== 'alloc') ?? []
  const names = parts.map((_, i) => `${column}_${i}`)
  t = fission(t, column, names)
  for (const name of names) {
    const [, ...inside] = chainFrom(t, name)
    if (inside.at(-1)?.body.some(isFor) === true) return undefined
    if (inside.length > 0) t = reorder(t, ...inside.map(l => l.axis), name)
    t = count === 1 ? vectorize(t, name) : unroll(vectorize(split(t, name, lanes), `${name}_i`), `${name}_o`)
  }
  const rest = `${axis}_r`
  return count === 1 || tryFindLoop(t.kernel, rest) === undefined ? t : (firstOf(() => strips(t, rest, 1)) ?? t)
}
