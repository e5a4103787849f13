/** @file bind: the iterations of a loop become workgroups, or threads of one. */
import { type AxisTag, type Kernel, ix } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { carriedBy, describe } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { allocsOf, constantExtent, findLoop } from '../locate.ts'
import { withBarriers } from '../barriers.ts'
import { primitive } from '../schedule.ts'
import { type For, editBlocks, replaceLoop, visitStmts } from '../tree.ts'

export type GridTag = Extract<AxisTag, `workgroup.${string}` | `thread.${string}`>
const gridTags = [
  'workgroup.x',
  'workgroup.y',
  'workgroup.z',
  'thread.x',
  'thread.y',
  'thread.z',
] as const satisfies readonly GridTag[]

/**
 * `bind('i_o', 'workgroup.x')`, then `bind('i_i', 'thread.x')`:
 *
 *     for i_o < n // 64: for i_i < 64: f   →   for workgroup.x i_o < n // 64: for thread.x i_i < 64: f
 *
 * Iterations must be independent; sibling nests are bound together: `bind(['a', 'b'], 'thread.x')`. Workgroup axes stand outermost, thread axes have constant extents and stand inside
 * workgroup axes; what a workgroup's threads write outside their own bodies must be shared memory or params.
 */
export const bind = primitive('bind', (s, axes: string | readonly string[], tag: GridTag) => {
  const kernel = (typeof axes === 'string' ? [axes] : axes).reduce((k, axis) => bindOne(k, axis, tag), s.kernel)
  refuseUnbound(kernel, tag)
  return { kernel: separate(kernel) }
})

const bindOne = (kernel: Kernel, axis: string, tag: GridTag): Kernel => {
  const place = findLoop(kernel, axis, 'bind')
  const { loop } = place
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(kernel, 'bind', reason, why, axis)
  }
  if (!gridTags.includes(tag)) refuse('unknown-tag', `${tag} is none of ${gridTags.join(', ')}`)
  if (loop.tag !== 'serial') refuse('not-serial', `${axis} is already ${loop.tag}`)
  const around = place.ancestors.filter((a): a is For => a.kind === 'for')
  const isThread = tag.startsWith('thread')
  if (around.some(l => l.tag === tag)) refuse('taken', `an axis around ${axis} is ${tag} already`)
  visitStmts(loop.body, x => {
    if (x.kind === 'for' && x.tag === tag) refuse('taken', `${x.axis} inside ${axis} is ${tag} already`)
    if (x.kind === 'alloc' && x.space === 'shared' && isThread)
      refuse('shared-inside', `${x.buffer.name} is shared memory, which stands outside thread axes`)
    if (x.kind === 'for' && !isThread && x.tag.startsWith('thread') && around.some(l => l.tag.startsWith('thread')))
      refuse('order', `${axis} stands between thread axes`)
  })
  if (isThread) {
    if (constantExtent(loop) === undefined)
      refuse('extent', `a thread axis has a constant extent, and that of ${axis} is ${loop.extent.key}`)
    if (!around.some(l => l.tag.startsWith('workgroup')))
      refuse('order', `a thread axis stands inside a workgroup axis; bind one around ${axis} first`)
  } else if (place.ancestors.some(a => a.kind !== 'for' || !a.tag.startsWith('workgroup')))
    refuse('order', `workgroup axes stand outermost, and something else stands around ${axis}`)
  const [met] = carriedBy(kernel, place)
  if (met !== undefined) refuse('dependence', describe(met, axis))
  const own = new Set(allocsOf(loop.body).map(a => a.buffer.name))
  const shared = new Set(allocsOf(kernel.body).flatMap(a => (a.space === 'shared' ? [a.buffer.name] : [])))
  const params = new Set(kernel.params.map(p => p.name))
  const outer = accessesOf(loop.body).find(
    a => a.kind !== 'read' && !own.has(a.buffer) && !params.has(a.buffer) && !shared.has(a.buffer),
  )
  if (outer !== undefined)
    refuse('writes-outer-private', `${axis} writes ${outer.buffer}, of which every invocation has a copy of its own`)
  return replaceLoop(kernel, axis, l => [{ ...l, tag }])
}

/**
 * What stands outside an axis of some tag is done by every invocation along it, so nothing there may write what others see;
 * and nothing orders workgroups, so nests of one kernel may not meet.
 */
const refuseUnbound = (kernel: Kernel, tag: GridTag): void => {
  const params = new Set(kernel.params.map(p => p.name))
  const shared = new Set(allocsOf(kernel.body).flatMap(a => (a.space === 'shared' ? [a.buffer.name] : [])))
  const used = new Map<string, For>()
  visitStmts(kernel.body, x => {
    if (x.kind !== 'for' || !isGrid(x.tag)) return
    const other = used.get(x.tag)
    if (other !== undefined && x.tag.startsWith('thread') && !ix.sameIndex(other.extent, x.extent))
      throw scheduleError(
        kernel,
        'bind',
        'extents-differ',
        `${x.axis} and ${other.axis} are both ${x.tag}, and their extents differ`,
        x.axis,
      )
    used.set(x.tag, x)
  })
  for (const a of accessesOf(kernel.body)) {
    if (a.kind === 'read' || !(params.has(a.buffer) || shared.has(a.buffer))) continue
    const missing = [...used.keys()].find(
      t => (params.has(a.buffer) || t.startsWith('thread')) && !a.loops.some(l => l.tag === t),
    )
    if (missing !== undefined)
      throw scheduleError(
        kernel,
        'bind',
        'unbound-write',
        `${a.buffer} is written outside ${missing}, which every invocation along it would do; bind all such nests in one step`,
        a.loops.at(-1)?.axis,
      )
  }
  const roots = kernel.body.filter(x => x.kind !== 'alloc')
  roots.forEach((x, i) => {
    const mine = accessesOf([x]).filter(a => params.has(a.buffer))
    const met = accessesOf(roots.slice(i + 1)).find(b =>
      mine.some(a => a.buffer === b.buffer && (a.kind !== 'read' || b.kind !== 'read')),
    )
    if (met !== undefined)
      throw scheduleError(
        kernel,
        'bind',
        'workgroups-meet',
        `nests of ${kernel.name} meet in ${met.buffer}, and nothing orders workgroups (${tag})`,
        met.loops[0]?.axis,
      )
  })
}
const isGrid = (tag: AxisTag): boolean => tag.startsWith('workgroup') || tag.startsWith('thread')

/** Puts a barrier of the workgroup between nests over threads where one needs what another wrote. */
const separate = (kernel: Kernel): Kernel => {
  const visible = new Set([
    ...kernel.params.map(p => p.name),
    ...allocsOf(kernel.body).flatMap(a => (a.space === 'shared' ? [a.buffer.name] : [])),
  ])
  return {
    ...kernel,
    body: editBlocks(kernel.body, block => {
      if (!block.some(x => x.kind === 'for' && x.tag.startsWith('thread')) || block.length < 2) return block
      return withBarriers(block, visible)
    }),
  }
}
