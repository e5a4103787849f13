/** @file Vectors along a loop, and the rest of it. */
import { bytesOf } from '@quern/artifact'
import type { Stmt } from '@quern/core-ir'
import { weightOf } from '../../lower/weight.ts'
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

/** Vectors of a loop whose body is a long chain of operations: as many in step hide how long each takes. */
const inStep = 4
/** From this weight on the chain is longer than what a processor looks ahead for the next iteration: a transcendental function. */
const long = 8

const weightIn = (stmts: readonly Stmt[]): number =>
  stmts.reduce((most, s) => {
    switch (s.kind) {
      case 'let':
      case 'store':
      case 'accumulate':
        return most + weightOf(s.value)
      case 'if':
        return most + weightIn(s.then) + weightIn(s.else)
      default:
        return most
    }
  }, 0)

/** Whether several vectors of the loop should run in step. */
export const isChain = (s: Schedule, axis: string): boolean =>
  weightIn(findLoop(s.kernel, axis, 'vectorize').loop.body) >= long

/**
 * Makes vectors of a loop, with the cheapest tail that is legal: none, the padding of a flat map, or a scalar rest.
 * Undefined where the loop cannot be vectors.
 */
export const vectors = (
  s: Schedule,
  axis: string,
  tails: readonly Tail[] = ['exact', 'pad', 'peel'],
  atOnce = inStep,
): Schedule | undefined => {
  const lanes = lanesIn(s, axis)
  const extent = constantOf(findLoop(s.kernel, axis, 'vectorize').loop.extent)
  if (extent !== undefined && extent < lanes) return undefined
  return firstOf(
    ...(atOnce > 1 && isChain(s, axis) ? [() => vectorsInStep(s, axis, lanes * atOnce, tails)] : []),
    ...(extent === lanes ? [() => vectorize(s, axis)] : []),
    ...tails.map(tail => () => vectorize(split(s, axis, lanes, { tail }), `${axis}_i`)),
  )
}

/** The rest is vectors by themselves, unless the padding of a flat map holds it. */
const vectorsInStep = (s: Schedule, axis: string, width: number, tails: readonly Tail[]): Schedule | undefined => {
  const extent = constantOf(findLoop(s.kernel, axis, 'vectorize').loop.extent)
  if (extent === width) return vectorize(s, axis)
  if (extent !== undefined && extent < width) return undefined
  return firstOf(
    ...tails
      .filter(tail => tail === 'exact' || tail === 'pad')
      .map(tail => () => vectorize(split(s, axis, width, { tail }), `${axis}_i`)),
    () => {
      const t = vectorize(split(s, axis, width, { tail: 'peel' }), `${axis}_i`)
      const rest = `${axis}_r`
      return firstOf(() => vectors(t, rest, ['exact', ...tails.filter(tail => tail === 'overlap'), 'peel'], 1)) ?? t
    },
  )
}

/** Writes out a loop of constant extent up to `limit`. */
export const unrollSmall = (s: Schedule, axis: string, limit = 16): Schedule => {
  const extent = constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
  return extent !== undefined && extent <= limit ? unroll(s, axis) : s
}
