/**
 * @file Maps on a CPU: every element is computed once. The innermost loop becomes vectors, a big map's outermost loop is
 * split over the team.
 */
import { microseconds } from '../../cost/cycles.ts'
import { parallel } from '../../schedule/primitives/parallel.ts'
import { inPlacePairs } from '../../memory/in-place.ts'
import type { Tail } from '../../schedule/primitives/split.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import {
  type RuleContext,
  type ScheduleRule,
  chainFrom,
  constantOf,
  firstOf,
  isFor,
  largestWork,
  start,
  topLoops,
  tryEdit,
} from '../rule.ts'
import { vectors } from './vector.ts'

export const isTeam = ({ target }: RuleContext): boolean =>
  target.parallelism.kind === 'team' && target.parallelism.threads > 1

/**
 * Whether the work takes longer than a team takes to meet. Asked at the largest sizes: a team is loaded where runs may be long, and
 * a kernel that one member runs is met before and after too.
 */
export const isWorthTeam = (context: RuleContext): boolean =>
  isTeam(context) &&
  microseconds(largestWork(context.region.kernel), context.target) >= context.target.speed.barrierMicroseconds

/** Splits the outermost loops over the team, where there is one and the work is worth it: all of them, or those that can be. */
export const inParallel = (s: Schedule, context: RuleContext): Schedule => {
  if (!isWorthTeam(context)) return s
  const axes = topLoops(s.kernel).map(loop => loop.axis)
  return firstOf(() => parallel(s, ...axes)) ?? axes.reduce((t, axis) => tryEdit(t, u => parallel(u, axis)), s)
}

/** Only stores of whole maps: no accumulators, no loop-language semantics. */
export const isMap = ({ region }: RuleContext): boolean => region.stages.every(s => s.role === 'store')

export const mapRule: ScheduleRule = context => {
  if (!isMap(context)) return undefined
  // What may be written in place must not be computed twice.
  const once = inPlacePairs(context.region.kernel).length > 0
  const s = topLoops(context.region.kernel).reduce((t, { axis }) => {
    const inner = chainFrom(t, axis).at(-1)
    if (inner === undefined || inner.body.some(isFor)) return t
    const tails: readonly Tail[] =
      once || constantOf(inner.extent) === undefined ? ['exact', 'pad', 'peel'] : ['exact', 'pad', 'overlap', 'peel']
    return firstOf(() => vectors(t, inner.axis, tails)) ?? t
  }, start(context))
  return inParallel(s, context)
}
