/** @file Small nests written out, in vectors along their innermost loop. */
import { tryFindLoop } from '../../schedule/locate.ts'
import { split } from '../../schedule/primitives/split.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { constantOf, firstOf, tryEdit } from '../rule.ts'

/** Elements of one access. */
export const vector = 4

/** A nest with its innermost loop as vectors, where they make it up, and the others unrolled. */
export const writtenOut = (s: Schedule, axes: readonly string[]): Schedule =>
  axes.reduceRight(
    (t, axis, i) =>
      (i === axes.length - 1 ? firstOf(() => vectors(t, axis)) : undefined) ?? tryEdit(t, u => unroll(u, axis)),
    s,
  )

const vectors = (s: Schedule, axis: string): Schedule | undefined => {
  const extent = constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
  if (extent === vector) return vectorize(s, axis)
  return extent === undefined || extent % vector !== 0
    ? undefined
    : unroll(vectorize(split(s, axis, vector), `${axis}_i`), `${axis}_o`)
}
