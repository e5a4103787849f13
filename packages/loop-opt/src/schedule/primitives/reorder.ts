/** @file reorder: perfectly nested loops in another order. */
import type { Kernel, Stmt } from '@quern/core-ir'
import { carriedBy, describe, exactReducer } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { declOf, findLoop } from '../locate.ts'
import { type Schedule, permits, primitive } from '../schedule.ts'
import { type For, replaceLoop, variablesOf } from '../tree.ts'

/**
 * `reorder('k', 'i')`:
 *
 *     for i: for k: for j: f   →   for k: for i: for j: f
 *
 * The named axes take their own places in the new order; axes between them stay. Legal where of any two loops that change
 * places one has iterations that never meet; where they meet only in accumulating, the order of a float sum changes, which
 * needs the permission `reassociates`.
 */
export const reorder = primitive('reorder', (s, ...axes: string[]) => {
  const places = axes.map(a => findLoop(s.kernel, a, 'reorder'))
  const depth = (a: string): number => places.find(p => p.loop.axis === a)?.ancestors.length ?? 0
  const outermost = [...axes].sort((a, b) => depth(a) - depth(b))[0]
  if (outermost === undefined || new Set(axes).size !== axes.length)
    throw scheduleError(s.kernel, 'reorder', 'no-axes', 'reorder needs the names of different axes')
  const chain = perfectChain(findLoop(s.kernel, outermost, 'reorder').loop)
  const missing = axes.find(a => !chain.some(l => l.axis === a))
  if (missing !== undefined)
    throw scheduleError(
      s.kernel,
      'reorder',
      'not-perfectly-nested',
      `${missing} is not in one perfect nest with ${outermost}: ${chain.map(l => l.axis).join(', ')}`,
      missing,
    )
  const slots = chain
    .map((l, i) => ({ l, i }))
    .filter(({ l }) => axes.includes(l.axis))
    .map(({ i }) => i)
  const target = chain.map(l => l.axis)
  slots.forEach((slot, i) => {
    target[slot] = axes[i] ?? ''
  })
  return { kernel: bubble(s, outermost, target) }
})

/** The loops that stand one directly in another, outermost first. */
export const perfectChain = (loop: For): For[] => {
  const chain = [loop]
  for (let [only, ...more] = loop.body; only?.kind === 'for' && more.length === 0; [only, ...more] = only.body)
    chain.push(only)
  return chain
}

/** Swaps neighbours until the order is reached, checking each swap. */
const bubble = (s: Schedule, root: string, target: readonly string[]): Kernel => {
  let kernel = s.kernel,
    top = root
  for (;;) {
    const order = perfectChain(findLoop(kernel, top, 'reorder').loop).map(l => l.axis)
    const at = order.findIndex((a, i) => {
      const next = order[i + 1]
      return next !== undefined && target.indexOf(a) > target.indexOf(next)
    })
    const outer = order[at],
      inner = order[at + 1]
    if (outer === undefined || inner === undefined) return kernel
    kernel = swap(s, kernel, outer, inner)
    if (at === 0) top = inner
  }
}

const swap = (s: Schedule, kernel: Kernel, outer: string, inner: string): Kernel => {
  const outside = findLoop(kernel, outer, 'reorder'),
    inside = findLoop(kernel, inner, 'reorder')
  if (variablesOf(inside.loop.extent).has(outer))
    throw scheduleError(kernel, 'reorder', 'extent-depends', `the extent of ${inner} depends on ${outer}`, inner)
  // Enough: no two iterations of one loop meet, whatever those of the other are.
  const serious =
    carriedBy(kernel, outside).length === 0
      ? undefined
      : carriedBy(kernel, inside, [outside.loop]).find(
          c =>
            !c.commutes || !(permits(s, 'reassociates') || exactReducer(c.from.reducer, declOf(kernel, c.from.buffer))),
        )
  if (serious !== undefined)
    throw scheduleError(
      kernel,
      'reorder',
      serious.commutes ? 'reassociates' : 'dependence',
      `${outer} and ${inner} cannot change places: ${describe(serious, inner)}${serious.commutes ? '; the order of the sum would change, which needs the permission reassociates' : ''}`,
      inner,
    )
  const { body } = inside.loop
  return replaceLoop(kernel, outer, loop => [{ ...inside.loop, body: [{ ...loop, body }] satisfies readonly Stmt[] }])
}
