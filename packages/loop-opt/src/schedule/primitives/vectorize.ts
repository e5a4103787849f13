/** @file vectorize: the iterations of a loop become the lanes of a vector. */
import { bytesOf } from '@quern/artifact'
import { carriedBy, describe } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { constantExtent, findLoop } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { dtypesIn, replaceLoop, visitStmts } from '../tree.ts'

/** Vectors that one loop may stand for. */
const vectorsInStep = [1, 2, 4]

/**
 * `vectorize('j_i')`:
 *
 *     for j_i < 4: f(j_i)   →   for vector j_i < 4: f(j_i)
 *
 * Iterations must be independent (accumulation into elements that the axis tells apart is), the extent 4 (2 where 64-bit
 * values occur), and the body free of loops (but unrolled ones), barriers and allocs other than registers. Twice or four times
 * that extent is as many vectors in step: each operation is done for all of them before the next, which hides how long it takes.
 */
export const vectorize = primitive('vectorize', (s, axis: string) => {
  const place = findLoop(s.kernel, axis, 'vectorize')
  const lanes = dtypesIn(place.loop.body).some(d => bytesOf[d] === 8) ? 2 : 4
  const extent = constantExtent(place.loop)
  if (!vectorsInStep.some(vectors => extent === vectors * lanes))
    throw scheduleError(
      s.kernel,
      'vectorize',
      'extent',
      `a vector of these dtypes has ${lanes} lanes, one, two or four of them run in step, and the extent of ${axis} is ${place.loop.extent.key}`,
      axis,
      { lanes },
    )
  if (place.loop.tag !== 'serial')
    throw scheduleError(s.kernel, 'vectorize', 'not-serial', `${axis} is already ${place.loop.tag}`, axis)
  if (place.ancestors.some(a => a.kind === 'for' && a.tag === 'vector'))
    throw scheduleError(s.kernel, 'vectorize', 'nested', `${axis} stands inside another vector axis`, axis)
  visitStmts(place.loop.body, stmt => {
    const bad =
      stmt.kind === 'for' && stmt.tag !== 'unroll'
        ? `the loop ${stmt.axis} (unroll it, or move it out)`
        : stmt.kind === 'alloc' && stmt.space !== 'register'
          ? `the ${stmt.space} buffer ${stmt.buffer.name}`
          : stmt.kind === 'barrier'
            ? 'a barrier'
            : undefined
    if (bad !== undefined)
      throw scheduleError(s.kernel, 'vectorize', 'body', `the body of a vector axis may not hold ${bad}`, axis)
  })
  const [met] = carriedBy(s.kernel, place)
  if (met !== undefined) throw scheduleError(s.kernel, 'vectorize', 'dependence', describe(met, axis), axis)
  return { kernel: replaceLoop(s.kernel, axis, l => [{ ...l, tag: 'vector' }]) }
})
