/** @file How many trips a loop makes, where gradients are wanted through it. */
import { QuernError } from '@quern/artifact'
import type { Span } from '../diagnostics/span.ts'
import type { Value } from '../graph/graph.ts'

/** What is kept has this many rows at most: a limit that is only there to end a loop some time would take all memory. */
export const longestLoop = 1 << 16

/** One value that is written into the graph. */
const knownScalar = (value: Value | undefined): number | undefined => {
  const data = value?.node?.op === 'constant' ? value.node.attrs['data'] : undefined
  if (typeof data !== 'object' || data === null || !('kind' in data) || data.kind !== 'inline') return undefined
  const [first] = data.values
  return first === undefined ? undefined : Number(first)
}

/** Whether it is true in every run. */
export const isAlwaysTrue = (value: Value | undefined): boolean => (knownScalar(value) ?? 0) !== 0

/** As many trips as a loop can make. */
export const mostTrips = (limit: Value | undefined, origin: Span | undefined): number => {
  const trips = knownScalar(limit)
  if (trips === undefined)
    throw new QuernError(
      'grad/loop-needs-limit',
      'a gradient is wanted through a loop whose limit is not a constant, and what its trips begin with has to be kept: give it a number as its limit; a condition may still end it earlier',
      { origin },
    )
  if (trips > longestLoop)
    throw new QuernError(
      'grad/loop-too-long',
      `a gradient is wanted through a loop of up to ${trips} trips, and what the trips begin with is kept for ${longestLoop} at most: lower its limit`,
      { limit: trips, most: longestLoop, origin },
    )
  return Math.max(0, trips)
}
