/**
 * @file Strips of neighbouring columns on a CPU: all that is done to a column, from first to last, is done to the vectors of
 * a strip at once. Every column keeps its order.
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
import { chainFrom, constantOf, firstOf, isFor } from '../rule.ts'
import { lanesIn } from './vector.ts'

/** Vectors of a strip where little is done to an element: four hold a cache line, which is then read once. */
const wide = 4
/** Operations on an element that pay for a cache line by themselves. */
const heavy = 8

/** Strips of the axis, as wide as pays; undefined where its iterations are no lanes. */
export const columnStrips = (s: Schedule, axis: string): Schedule | undefined =>
  firstOf(
    () => (heaviest(s, axis) < heavy ? strips(s, axis, wide) : undefined),
    () => strips(s, axis, 1),
  )

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
  const apart = eachApart(t, `${axis}_i`)
  if (apart === undefined) return undefined
  t = apart.schedule
  for (const name of apart.loops)
    t = count === 1 ? vectorize(t, name) : unroll(vectorize(split(t, name, lanes), `${name}_i`), `${name}_o`)
  const rest = `${axis}_r`
  return count === 1 || tryFindLoop(t.kernel, rest) === undefined ? t : (firstOf(() => strips(t, rest, 1)) ?? t)
}

/** A loop over several statements as a loop over each, moved inside the loops that the statement is. */
export const eachApart = (
  s: Schedule,
  axis: string,
): { readonly schedule: Schedule; readonly loops: readonly string[] } | undefined => {
  const parts = tryFindLoop(s.kernel, axis)?.loop.body.filter(x => x.kind !== 'alloc') ?? []
  const loops = parts.length === 1 ? [axis] : parts.map((_, i) => `${axis}_${i}`)
  let t = parts.length === 1 ? s : fission(s, axis, loops)
  for (const name of loops) {
    const [, ...inside] = chainFrom(t, name)
    let loops = 0
    visitStmts(inside.at(-1)?.body ?? [], x => {
      if (isFor(x)) loops++
    })
    if (loops > 0) return undefined
    if (inside.length > 0) t = reorder(t, ...inside.map(l => l.axis), name)
  }
  return { schedule: t, loops }
}
