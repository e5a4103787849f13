/**
 * @file Loop-language semantics on a CPU, in the order in which they are written: vectors along what is independent and
 * contiguous, several rows at once where each is one chain of steps, independent outer loops over the team.
 */
import { accessesOf } from '../../schedule/access.ts'
import { allocsOf, tryFindLoop } from '../../schedule/locate.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { type ScheduleRule, chainFrom, constantOf, firstOf, isFor, start, topLoops, typicalLength } from '../rule.ts'
import { contiguousAxis } from '../structure.ts'
import { inParallel } from './map.ts'
import { columnStrips, eachApart } from './strips.ts'
import { vectors } from './vector.ts'

/**
 * Rows that are stepped through together: enough chains of additions to fill the time that one takes, and few enough that
 * rows a power of two apart, of what is read and what is written, still share a set of the cache.
 */
const rowsAtOnce = 4

/** Columns that are walked along together where rows are long: whole pages in order, instead of one line of each. */
const wideStrip = 256

export const loopsRule: ScheduleRule = context => {
  if (!context.region.stages.some(s => s.role === 'loops')) return undefined
  const s = topLoops(context.region.kernel).reduce((t, { axis }) => nest(t, axis), start(context))
  return inParallel(s, context)
}

const nest = (s: Schedule, top: string): Schedule => {
  const chain = chainFrom(s, top)
  const inner = chain.at(-1)
  if (inner === undefined) return s
  if (!inner.body.some(isFor)) return firstOf(() => vectors(s, inner.axis)) ?? s
  const params = new Set(s.kernel.params.map(p => p.name))
  const along = contiguousAxis(
    accessesOf([inner]).filter(a => params.has(a.buffer)),
    [inner.axis, ...inner.body.filter(isFor).map(l => l.axis)],
  )
  return (
    firstOf(
      () => (along === inner.axis ? walkedTogether(s, inner.axis) : undefined),
      () => (along === inner.axis ? columnStrips(s, inner.axis) : undefined),
      () => rowsTogether(s, inner.axis),
    ) ?? s
  )
}

/**
 *     for j: total = 0; for k: total += x[k, j]; y[k, j] = total
 *       →   for j_o: total[256] in memory; for k: for vectors j_i < 256: total[j_i] += x[…]; y[…] = total[j_i]
 */
const walkedTogether = (s: Schedule, axis: string): Schedule | undefined => {
  if (typicalLength(s, axis) < wideStrip) return undefined
  const t = split(s, axis, wideStrip, { tail: 'peel' })
  const apart = eachApart(t, `${axis}_i`)
  const kept = allocsOf(tryFindLoop(t.kernel, `${axis}_i`)?.loop.body ?? []).map(a => a.buffer.name)
  if (apart === undefined) return undefined
  const stored = kept.reduce((u, buffer) => setSpace(u, buffer, 'private'), apart.schedule)
  const done = apart.loops.reduce<Schedule | undefined>((u, name) => u && vectors(u, name, ['exact']), stored)
  const rest = `${axis}_r`
  if (done === undefined || tryFindLoop(done.kernel, rest) === undefined) return done
  return columnStrips(done, rest) ?? done
}

/**
 *     for i: total = 0; for k: total += x[i, k]; y[i, k] = total
 *       →   for i_o: total[8] = 0; for k: for unrolled i_i: total[i_i] += x[…]; y[…] = total[i_i]
 */
const rowsTogether = (s: Schedule, axis: string): Schedule | undefined => {
  const extent = constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
  if (extent !== undefined && extent < rowsAtOnce) return undefined
  // What keeps memory of its own is no chain of steps.
  const own = allocsOf(tryFindLoop(s.kernel, axis)?.loop.body ?? [])
  if (own.length === 0 || own.some(a => a.space !== 'register')) return undefined
  const apart = eachApart(split(s, axis, rowsAtOnce, { tail: 'peel' }), `${axis}_i`)
  return apart?.loops.reduce((t, name) => unroll(t, name), apart.schedule)
}
