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
  let schedule = s,
    axis = first
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
  const [best] = divisors.sort(
    (a, b) => waste(a) - waste(b) || Math.abs(a - independentThreads) - Math.abs(b - independentThreads),
  )
  return best !== undefined && waste(best) < 1.4 ? best : undefined
}

/**
 * Perfectly nested loops over all dims of the grid: as one sequence where that is proved to be independent, else by dims;
 * where nothing is proved of iterations beyond an extent, in workgroups of one.
 */
export const spreadAll = (s: Schedule, axes: readonly string[]): Schedule | undefined =>
  firstOf(
    ...groupings(axes).map(groups => () => {
      const { schedule, axes: fused } = fuseGroups(s, groups)
      const last = fused.at(-1)
      return last === undefined ? undefined : spread(overWorkgroups(schedule, fused.slice(0, -1), 1), last)
    }),
    () => groupAll(s, axes),
  )

/** Perfectly nested loops as workgroups in at most three dims, whichever of them are proved to be independent as one. */
export const groupAll = (s: Schedule, axes: readonly string[]): Schedule | undefined =>
  firstOf(
    ...groupings(axes).map(groups => () => {
      const { schedule, axes: fused } = fuseGroups(s, groups)
      return overWorkgroups(schedule, fused, 0)
    }),
  )

/** The ways to cut a list into at most three parts, few and long last ones first. */
const groupings = <T>(xs: readonly T[]): (readonly (readonly T[])[])[] => {
  const cuts = xs.slice(1).map((_, i) => i + 1)
  return [
    [xs],
    ...cuts.map(a => [xs.slice(0, a), xs.slice(a)]),
    ...cuts.flatMap(a => cuts.filter(b => b > a).map(b => [xs.slice(0, a), xs.slice(a, b), xs.slice(b)])),
  ]
}

const fuseGroups = (s: Schedule, groups: readonly (readonly string[])[]): { schedule: Schedule; axes: string[] } => {
  let schedule = s
  const axes = groups.flatMap(group => {
    const fused = fuseAll(schedule, group)
    schedule = fused.schedule
    return fused.axis ?? []
  })
  return { schedule, axes }
}

/** Outermost first; `kept` of the innermost dims are left for others. */
const overWorkgroups = (s: Schedule, axes: readonly string[], kept: number): Schedule => {
  const dims = ['workgroup.x', 'workgroup.y', 'workgroup.z'] as const
  return axes.reduce((t, axis, i) => bind(t, axis, dims[axes.length - 1 - i + kept] ?? 'workgroup.z'), s)
}
