/** @file parallel: the iterations of a loop are split over a team of threads. */
import type { Kernel } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { withBarriers } from '../barriers.ts'
import { carriedBy, describe } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { allocsOf, findLoop } from '../locate.ts'
import { type Schedule, primitive } from '../schedule.ts'
import { replaceLoop, visitStmts } from '../tree.ts'

/**
 * `parallel('i_o')`:
 *
 *     for i_o < n: f(i_o)   →   for parallel i_o < n: f(i_o)
 *
 * Outermost, iterations independent, writing nothing but params and buffers of its own body. Outside it every member of
 * the team runs everything, so nothing but private memory may be written there; a barrier is put between nests that meet.
 * Nests that stand side by side and write params are named together: one alone would leave the other to every member.
 */
export const parallel = primitive('parallel', (s, ...axes: string[]) => {
  for (const axis of axes) check(s, axis, new Set(axes))
  const kernel = axes.reduce((k, axis) => replaceLoop(k, axis, l => [{ ...l, tag: 'parallel' }]), s.kernel)
  return { kernel: separate(kernel) }
})

/** @param together the axes that become parallel at once, this one among them */
const check = (s: Schedule, axis: string, together: ReadonlySet<string>): void => {
  const place = findLoop(s.kernel, axis, 'parallel')
  if (place.loop.tag !== 'serial')
    throw scheduleError(s.kernel, 'parallel', 'not-serial', `${axis} is already ${place.loop.tag}`, axis)
  if (place.ancestors.length > 0)
    throw scheduleError(s.kernel, 'parallel', 'not-outermost', `${axis} stands inside other statements`, axis)
  visitStmts(place.loop.body, stmt => {
    if (stmt.kind === 'barrier' || (stmt.kind === 'for' && stmt.tag === 'parallel'))
      throw scheduleError(
        s.kernel,
        'parallel',
        'nested',
        `the body of ${axis} holds a ${stmt.kind === 'for' ? 'parallel axis' : 'barrier'}`,
        axis,
      )
  })
  const [met] = carriedBy(s.kernel, place)
  if (met !== undefined) throw scheduleError(s.kernel, 'parallel', 'dependence', describe(met, axis), axis)
  const params = new Set(s.kernel.params.map(p => p.name))
  const own = new Set(allocsOf(place.loop.body).map(a => a.buffer.name))
  const shared = accessesOf(place.loop.body).find(a => a.kind !== 'read' && !params.has(a.buffer) && !own.has(a.buffer))
  if (shared !== undefined)
    throw scheduleError(
      s.kernel,
      'parallel',
      'writes-outer-private',
      `${axis} writes ${shared.buffer}, of which every thread has a copy of its own; move it inside first`,
      shared.buffer,
    )
  const others = place.block.filter(
    stmt => !(stmt.kind === 'for' && (together.has(stmt.axis) || stmt.tag === 'parallel')),
  )
  const outside = accessesOf(others).find(a => a.kind !== 'read' && params.has(a.buffer))
  if (outside !== undefined)
    throw scheduleError(
      s.kernel,
      'parallel',
      'serial-writes',
      `outside ${axis} the kernel writes ${outside.buffer}, which every thread would do`,
      outside.buffer,
    )
}

/** Puts a barrier of the team between parallel nests where one needs what another wrote. */
const separate = (kernel: Kernel): Kernel => ({
  ...kernel,
  body: withBarriers(kernel.body, new Set(kernel.params.map(p => p.name))),
})
