/**
 * @file Reductions on a GPU, one or a few results a thread: convolutions, pooling, column sums, small products. Where
 * results along an axis use the same loads, a thread computes several of them in registers.
 */
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { tryFindLoop } from '../../schedule/locate.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { type ScheduleRule, constantOf, firstOf, start, tryEdit, typicalLength } from '../rule.ts'
import { type Reduction, gatherAt, paramLoads, reductionOf, reusedAxis, rowsFirst, updatesOf } from '../structure.ts'
import { spreadAll } from './grid.ts'

/** Work for fewer threads than this leaves a device idle: tiles get smaller first. */
const enoughThreads = 4096

export const gridTileRule: ScheduleRule = context => {
  const s = start(context)
  const parts = reductionOf(context.region)
  const column = parts?.update.spatial.at(-1)
  if (parts === undefined || column === undefined) return undefined
  const row = reusedAxis(parts.update, paramLoads(s, parts.update), column)
  const height = row === undefined ? undefined : constantOf(tryFindLoop(s.kernel, row)?.loop.extent)
  const results = parts.update.spatial.reduce((n, a) => n * typicalLength(s, a), 1)
  const heights = height === undefined ? [] : [8, 4, 2].filter(h => height % h === 0 && results / h >= enoughThreads)
  return firstOf(...[...heights, 1].map(h => () => tiled(s, parts, h > 1 ? row : undefined, h)))
}

const tiled = (
  s: Schedule,
  { init, update, store }: Reduction,
  row: string | undefined,
  height: number,
): Schedule | undefined => {
  const outer = update.spatial.map(a => (a === row ? `${a}_o` : a))
  const at = outer.at(-1)
  if (at === undefined) return undefined
  let t = s
  if (row !== undefined) {
    t = split(t, row, height)
    t = reorder(t, ...outer, `${row}_i`)
  }
  t = computeAt(computeAt(t, init.name, at), store.name, at)
  if (row !== undefined) {
    t = reorder(t, ...update.reduce, `${row}_i`)
    t = unroll(t, `${row}_i`)
  }
  t = [...init.spatial, ...store.spatial].reduce((u, axis) => tryEdit(u, v => unroll(v, axis)), t)
  t = setSpace(t, update.buffer, 'register')
  return spreadAll(t, outer)
}

/** Any kernel of several stages over common rows: a thread computes all of one element of the last nest's rows. */
export const gridRowsRule: ScheduleRule = context => {
  const found = rowsFirst(start(context))
  const at = found?.rows.at(-1)
  if (found === undefined || at === undefined || updatesOf(context.region.stages).length === 0) return undefined
  return spreadAll(gatherAt(found.schedule, at), found.rows)
}
