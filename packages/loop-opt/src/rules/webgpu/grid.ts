/** @file Spreads loops over workgroups and threads. */
import { bind } from '../../schedule/primitives/bind.ts'
import { fuse } from '../../schedule/primitives/fuse.ts'
import { split } from '../../schedule/primitives/split.ts'
import { tryFindLoop } from '../../schedule/locate.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { constantOf, firstOf } from '../rule.ts'

/** Threads of a workgroup whose threads do not work together: enough to fill any device's subgroups. */
export const independentThreads = 64

/** Perfectly nested loops, outermost first, as one; its name. */
export const fuseAll = (s: Schedule, axes: readonly string[]): { schedule: Schedule; axis: string | undefined } => {
  const [first, ...rest] = axes
  let schedule = s, axis = first
  for (const next of rest) {
    if (axis === undefined) break
    schedule = fuse(schedule, axis, next)
    axis = `${axis}_${next}`
  }
  return { schedule, axis }
}

/** One iteration a thread. Where no good number of threads divides the extent, those beyond it do nothing. */
export const spread = (s: Schedule, axis: string): Schedule => {
  const extent = constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
  if (extent === 1) return bind(s, axis, 'workgroup.x')
  const exact = extent === undefined ? undefined : threadsFor(extent)
  const t = exact === undefined ? split(s, axis, independentThreads, { tail: 'guard' }) : split(s, axis, exact)
  return bind(bind(t, `${axis}_o`, 'workgroup.x'), `${axis}_i`, 'thread.x')
}

/** A divisor that fills subgroups, or nearly so; short extents are one workgroup. */
const threadsFor = (extent: number): number | undefined => {
  if (extent <= independentThreads) return extent
  const divisors = Array.from({ length: 225 }, (_, i) => 256 - i).filter(d => d >= 32 && extent % d === 0)
  const waste = (d: number): number => (Math.ceil(d / 32) * 32) / d
  const [best] = divisors.sort((a, b) => waste(a) - waste(b) || Math.abs(a - independentThreads) - Math.abs(b - independentThreads))
  return best !== undefined && waste(best) < 1.4 ? best : undefined
}

/** Perfectly nested loops over all dims of the grid: as one sequence where that is proved to be independent, else by dims. */
export const spreadAll = (s: Schedule, axes: readonly string[]): Schedule | undefined =>
  firstOf(
    () => {
      const { schedule, axis } = fuseAll(s, axes)
      return axis === undefined ? undefined : spread(schedule, axis)
    },
    () => {
      const inner = fuseAll(s, axes.slice(-2))
      const outer = fuseAll(inner.schedule, axes.slice(0, -3))
      const middle = axes.at(-3)
      if (inner.axis === undefined || middle === undefined) return undefined
      let t = outer.schedule
      if (outer.axis !== undefined) t = bind(t, outer.axis, 'workgroup.z')
      return spread(bind(t, middle, 'workgroup.y'), inner.axis)
    },
  )
