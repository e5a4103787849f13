/** @file hoistIf: a condition that the iterations of a loop agree on is tested once. */
import { accessesOf, writesOf } from '../access.ts'
import { scheduleError } from '../error.ts'
import { findLoop } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { bindersOf, copyFresh, namesOf, replaceLoop, scalarVariables, visitScalars } from '../tree.ts'

/**
 * `hoistIf('j')`:
 *
 *     for j: if c: f else: g   →   if c: for j: f   else: for j: g
 *
 * The `if` is all that the loop holds; its condition neither depends on the axis nor on what the body writes.
 */
export const hoistIf = primitive('hoistIf', (s, axis: string) => {
  const { loop } = findLoop(s.kernel, axis, 'hoistIf')
  const [only, ...more] = loop.body
  if (only?.kind !== 'if' || more.length > 0)
    throw scheduleError(s.kernel, 'hoistIf', 'no-if', `the body of ${axis} is not one condition`, axis)
  const bound = new Set([axis, ...bindersOf(loop.body)])
  const written = writesOf(loop.body)
  let changes = [...scalarVariables(only.condition)].some(n => bound.has(n))
  visitScalars(only.condition, x => {
    changes ||= x.kind === 'load' && written.has(x.buffer)
  })
  if (changes)
    throw scheduleError(
      s.kernel,
      'hoistIf',
      'varies',
      `the condition in ${axis} may differ from one iteration to another`,
      axis,
    )
  if (loop.tag.startsWith('thread') && accessesOf([loop]).length === 0)
    throw scheduleError(s.kernel, 'hoistIf', 'threads', `${axis} is a thread axis`, axis)
  const other = only.else.length === 0 ? [] : copyFresh([{ ...loop, body: only.else }], 'else', namesOf(s.kernel)).stmts
  return { kernel: replaceLoop(s.kernel, axis, () => [{ ...only, then: [{ ...loop, body: only.then }], else: other }]) }
})
