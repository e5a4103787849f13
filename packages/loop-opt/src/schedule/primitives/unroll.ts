/** @file unroll: the iterations of a loop are written out. */
import { scheduleError } from '../error.ts'
import { constantExtent, findLoop } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { replaceLoop } from '../tree.ts'

/** More copies than this make code that no compiler likes. */
export const maxUnroll = 64

/**
 * `unroll('i')`:
 *
 *     for i < 4: f(i)   →   for unroll i < 4: f(i)      legalised to f(0) f(1) f(2) f(3)
 */
export const unroll = primitive('unroll', (s, axis: string) => {
  const { loop } = findLoop(s.kernel, axis, 'unroll')
  const extent = constantExtent(loop)
  if (extent === undefined || extent > maxUnroll)
    throw scheduleError(
      s.kernel,
      'unroll',
      'extent',
      `only an axis of constant extent up to ${maxUnroll} is unrolled, and that of ${axis} is ${loop.extent.key}`,
      axis,
    )
  if (loop.tag !== 'serial' && loop.tag !== 'unroll')
    throw scheduleError(s.kernel, 'unroll', 'not-serial', `${axis} is ${loop.tag}`, axis)
  return { kernel: replaceLoop(s.kernel, axis, l => [{ ...l, tag: 'unroll' }]) }
})
