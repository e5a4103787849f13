/**
 * @file Several reductions over the same columns on a CPU (softmax along an outer axis): vectors hold neighbouring columns
 * from the first stage to the last.
 */
import { type ScheduleRule, start } from '../rule.ts'
import { contiguousAxis, gatherAt, paramLoads, rowsFirst, updatesOf } from '../structure.ts'
import { inParallel } from './map.ts'
import { columnStrips } from './strips.ts'

export const columnsRule: ScheduleRule = context => {
  const updates = updatesOf(context.region.stages)
  const found = rowsFirst(start(context))
  const axis = found?.rows.at(-1)
  if (found === undefined || axis === undefined || updates.length === 0) return undefined
  const along = updates.map(u => contiguousAxis(paramLoads(found.schedule, u), [...u.spatial, ...u.reduce]))
  if (!updates.every((u, i) => u.spatial.includes(along[i] ?? ''))) return undefined
  const made = columnStrips(gatherAt(found.schedule, axis), axis)
  return made && inParallel(made, context)
}
