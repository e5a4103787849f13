/**
 * @file Loop-language semantics on a GPU: the form that an op has for a grid, or as many of the outer
 * loops over the grid as are independent.
 */
import { type ScheduleRule, chainFrom, firstOf, start, topLoops } from '../rule.ts'
import { spreadAll } from './grid.ts'

export const gridLoopsRule: ScheduleRule = context => {
  if (!context.region.stages.some(s => s.role === 'loops')) return undefined
  const s = start(context)
  const [nest, ...more] = topLoops(s.kernel)
  if (nest === undefined || more.length > 0) return undefined
  // A form that was written for a grid has its workgroups and threads.
  if (nest.tag.startsWith('workgroup')) return s
  const axes = chainFrom(s, nest.axis).map(l => l.axis)
  return firstOf(...axes.map((_, i) => () => spreadAll(s, axes.slice(0, axes.length - i))))
}
