/**
 * @file Several reductions over the same columns on a CPU (softmax along an outer axis): vectors hold neighbouring columns
 * from the first stage to the last.
 */
import { tryFindLoop } from '../../schedule/locate.ts'
import { fission } from '../../schedule/primitives/fission.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { split } from '../../schedule/primitives/split.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import { type ScheduleRule, chainFrom, isFor, start } from '../rule.ts'
import { contiguousAxis, gatherAt, paramLoads, rowsFirst, updatesOf } from '../structure.ts'
import { inParallel } from './map.ts'
import { lanesIn } from './vector.ts'

export const columnsRule: ScheduleRule = context => {
  const updates = updatesOf(context.region.stages)
  const found = rowsFirst(start(context))
  const axis = found?.rows.at(-1)
  if (found === undefined || axis === undefined || updates.length === 0) return undefined
  const along = updates.map(u => contiguousAxis(paramLoads(found.schedule, u), [...u.spatial, ...u.reduce]))
  if (!updates.every((u, i) => u.spatial.includes(along[i] ?? ''))) return undefined
  let t = gatherAt(found.schedule, axis)
  t = split(t, axis, lanesIn(t, axis), { tail: 'peel' })
  const column = `${axis}_i`
  const parts = tryFindLoop(t.kernel, column)?.loop.body.filter(s => s.kind !== 'alloc') ?? []
  const names = parts.map((_, i) => `${column}_${i}`)
  t = fission(t, column, names)
  for (const name of names) {
    const [, ...inside] = chainFrom(t, name)
    if (inside.at(-1)?.body.some(isFor) === true) return undefined
    if (inside.length > 0) t = reorder(t, ...inside.map(l => l.axis), name)
    t = vectorize(t, name)
  }
  return inParallel(t, context)
}
