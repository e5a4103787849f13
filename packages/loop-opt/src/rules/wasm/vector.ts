/** @file Vectors along a loop, and the rest of it. */
import { bytesOf } from '@quern/artifact'
import { split, type Tail } from '../../schedule/primitives/split.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import { findLoop, tryFindLoop } from '../../schedule/locate.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { dtypesIn } from '../../schedule/tree.ts'
import { constantOf, firstOf } from '../rule.ts'

/** Lanes that the body of a loop allows. */
export const lanesIn = (s: Schedule, axis: string): number =>
  dtypesIn(findLoop(s.kernel, axis, 'vectorize').loop.body).some(d => bytesOf[d] === 8) ? 2 : 4

/**
 * Makes vectors of a loop, with the cheapest tail that is legal: none, the padding of a flat map, or a scalar rest.
 * Undefined where the loop cannot be vectors.
 */
export const vectors = (
  s: Schedule,
  axis: string,
  tails: readonly Tail[] = ['exact', 'pad', 'peel'],
): Schedule | undefined => {
  const lanes = lanesIn(s, axis)
  const extent = constantOf(findLoop(s.kernel, axis, 'vectorize').loop.extent)
  if (extent !== undefined && extent < lanes) return undefined
  return firstOf(
    ...(extent === lanes ? [() => vectorize(s, axis)] : []),
    ...tails.map(tail => () => vectorize(split(s, axis, lanes, { tail }), `${axis}_i`)),
  )
}

/** Writes out a loop of constant extent up to `limit`. */
export const unrollSmall = (s: Schedule, axis: string, limit = 16): Schedule => {
  const extent = constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
  return extent !== undefined && extent <= limit ? unroll(s, axis) : s
}
