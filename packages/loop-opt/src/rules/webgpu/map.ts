/** @file Maps on a GPU: one element a thread, or one aligned vector where the innermost dim allows. */
import { split } from '../../schedule/primitives/split.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { dtypesIn } from '../../schedule/tree.ts'
import { type ScheduleRule, chainFrom, firstOf, isFor, start, topLoops } from '../rule.ts'
import { spreadAll } from './grid.ts'

export const gridMapRule: ScheduleRule = context => {
  const { stages } = context.region
  if (!stages.every(s => s.role === 'store')) return undefined
  const s = start(context)
  const [nest, ...more] = topLoops(s.kernel)
  if (nest === undefined || more.length > 0) return undefined
  const chain = chainFrom(s, nest.axis)
  if (chain.some(l => l.body.length > 1 && l.body.some(isFor))) return undefined
  const axes = chain.map(l => l.axis)
  return firstOf(
    () => vectorMap(s, axes, context.target.accessLanes),
    () => spreadAll(s, axes),
  )
}

/** Vectors need elements of 32 bits on both sides, and a flat map or an innermost extent that four divides. */
const vectorMap = (s: Schedule, axes: readonly string[], lanes: number): Schedule | undefined => {
  const inner = axes.at(-1)
  const loop = inner === undefined ? undefined : chainFrom(s, inner)[0]
  if (inner === undefined || loop === undefined) return undefined
  if (!dtypesIn(loop.body).every(d => d === 'f32' || d === 'i32' || d === 'u32' || d === 'bool')) return undefined
  if (s.kernel.params.some(p => !['f32', 'i32', 'u32'].includes(p.dtype))) return undefined
  const t = firstOf(
    () => split(s, inner, lanes),
    () => (axes.length === 1 ? split(s, inner, lanes, { tail: 'pad' }) : undefined),
  )
  if (t === undefined) return undefined
  const outside = spreadAll(t, [...axes.slice(0, -1), `${inner}_o`])
  return outside && vectorize(outside, `${inner}_i`)
}
