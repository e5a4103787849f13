/** @file fuse: two nested loops become one. */
import { ix } from '@quern/core-ir'
import { scheduleError } from '../error.ts'
import { findLoop } from '../locate.ts'
import { primitive, renameAxes } from '../schedule.ts'
import { freshName, namesOf, replaceLoop, substitute, variablesOf } from '../tree.ts'

/**
 * `fuse('i', 'j')` makes `i_j`:
 *
 *     for i < m: for j < n: f(i, j)   →   for i_j < m n: f(i_j // n, i_j % n)
 *
 * Always legal for a perfect nest whose inner extent does not depend on the outer axis: the order stays.
 */
export const fuse = primitive('fuse', (s, outer: string, inner: string) => {
  const outside = findLoop(s.kernel, outer, 'fuse'),
    inside = findLoop(s.kernel, inner, 'fuse')
  const [only, ...more] = outside.loop.body
  if (only !== inside.loop || more.length > 0)
    throw scheduleError(s.kernel, 'fuse', 'not-perfectly-nested', `${inner} is not the only thing in ${outer}`, inner)
  if (outside.loop.tag !== 'serial' || inside.loop.tag !== 'serial')
    throw scheduleError(s.kernel, 'fuse', 'not-serial', `${outer} and ${inner} must be serial to be fused`, outer)
  if (variablesOf(inside.loop.extent).has(outer))
    throw scheduleError(s.kernel, 'fuse', 'extent-depends', `the extent of ${inner} depends on ${outer}`, inner)
  const axis = freshName(namesOf(s.kernel), `${outer}_${inner}`)
  const both = ix.variable(axis),
    n = inside.loop.extent,
    // A loop that never runs has no quotients, but the divisor of one must be positive.
    by = ix.isConst(n, 0) ? ix.constant(1) : n
  const kernel = replaceLoop(s.kernel, outer, () => [
    {
      kind: 'for',
      axis,
      extent: ix.mul(outside.loop.extent, n),
      tag: 'serial',
      body: substitute(
        inside.loop.body,
        new Map([
          [outer, ix.floorDiv(both, by)],
          [inner, ix.mod(both, by)],
        ]),
      ),
    },
  ])
  return { kernel, stages: renameAxes(s.stages, a => (a === outer || a === inner ? [axis] : [a])) }
})
