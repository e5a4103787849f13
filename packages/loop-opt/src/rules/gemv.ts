/** @file The schedule of a contraction with few rows on a CPU, whose right-hand side is read once, as it lies in memory. */
import { ix } from '@quern/core-ir'
import type { LoweredRegion } from '../lower/lowered-region.ts'
import { findLoop, tryFindLoop } from '../schedule/locate.ts'
import { computeAt } from '../schedule/primitives/compute-at.ts'
import { reorder } from '../schedule/primitives/reorder.ts'
import { split } from '../schedule/primitives/split.ts'
import { stage } from '../schedule/primitives/stage.ts'
import { unroll } from '../schedule/primitives/unroll.ts'
import { vectorize } from '../schedule/primitives/vectorize.ts'
import { type Schedule, type ScheduleOptions, scheduleOf } from '../schedule/schedule.ts'
import type { Contraction } from './gemm.ts'

export interface GemvTile {
  /** Columns whose sums stay in the first level cache while the depth is swept; divides their number. */
  readonly chunk: number
  /** Rows of the right-hand side that are added at once. */
  readonly depth: number
  readonly lanes: number
}

/**
 * Sums of a chunk of columns stay in near memory; rows of the right-hand side stream past, several at once:
 *
 *     for j_o < N / chunk: for i:
 *       acc: chunk = 0
 *       for k_o < K / depth: for j < chunk / 4:
 *         sum: vector = acc[j]
 *         sum += a[k] * b[k, j]                 written out for every k of the block
 *         acc[j] = sum
 *       y[…] = epilogue(acc)
 */
export const gemv = (
  region: LoweredRegion,
  c: Contraction,
  tile: GemvTile,
  options: ScheduleOptions = {},
): Schedule => {
  const others = c.update.spatial.filter(axis => axis !== c.columns)
  let s = split(scheduleOf(region, options), c.columns, tile.chunk)
  const [chunk, column] = [`${c.columns}_o`, `${c.columns}_i`]
  s = reorder(s, chunk, ...others, c.depth, column)
  const at = others.at(-1) ?? chunk
  s = computeAt(computeAt(s, c.init.name, at), c.store.name, at)
  for (const axis of [c.init.spatial.at(-1), c.store.spatial.at(-1)])
    if (axis !== undefined) s = vectorize(split(s, axis, tile.lanes), `${axis}_i`)
  s = split(s, column, tile.lanes)
  const [vectors, lane] = [`${column}_o`, `${column}_i`]
  s = split(s, c.depth, tile.depth, { tail: 'peel' })
  const block = `${c.depth}_i`
  if (tryFindLoop(s.kernel, block) !== undefined) {
    s = reorder(s, vectors, block)
    s = stage(s, c.accumulator, block, { space: 'register', name: 'sum', around: true, update: true })
    s = vectorize(unroll(s, block), lane)
    const rank = findRank(s)
    for (const prefix of ['sum_', 'sum_out']) {
      for (let d = 0; d < rank - 1; d++) s = unroll(s, `${prefix}${d}`)
      s = vectorize(s, `${prefix}${rank - 1}`)
    }
  }
  return tryFindLoop(s.kernel, `${lane}_r`) === undefined
    ? tryFindLoop(s.kernel, lane)?.loop.tag === 'vector'
      ? s
      : vectorize(s, lane)
    : vectorize(s, `${lane}_r`)
}

const findRank = (s: Schedule): number => {
  let rank = 0
  while (tryFindLoop(s.kernel, `sum_${rank}`) !== undefined) rank++
  return rank
}

/** The largest chunk of at most `most` columns that divides their number into whole vectors, or undefined. */
export const chunkOf = (s: Schedule, columns: string, lanes: number, most: number): number | undefined => {
  const { extent } = findLoop(s.kernel, columns, 'gemv').loop
  if (!ix.isConst(extent) || extent.value % lanes !== 0) return undefined
  for (let chunk = Math.min(most, extent.value); chunk >= lanes; chunk -= lanes)
    if (extent.value % chunk === 0 && chunk % lanes === 0) return chunk
  return undefined
}
