/** @file rfactor: a reduction keeps several partial results, and combines them at its end. */
import { type AccumulateOp, type Scalar, type Stmt, ix, neutralOf, scalar as sc } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { exactReducer } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { declOf, findLoop } from '../locate.ts'
import { permits, primitive } from '../schedule.ts'
import { type For, bindersOf, editStmts, freshName, namesOf, replaceLoop, variablesOf } from '../tree.ts'

/**
 * `rfactor('k_i', 'k_o')`, where k_o is the outermost loop of the reduction:
 *
 *     for k_o: for k_i < 4: acc[i] sum= f   →   alloc register acc_rf: [4]
 *                                               for k_i_fill < 4: acc_rf[k_i_fill] = 0
 *                                               for k_o: for k_i < 4: acc_rf[k_i] sum= f
 *                                               for k_i_join < 4: acc[i] sum= acc_rf[k_i_join]
 *
 * After it k_i carries nothing, so it can become lanes or threads. The order of a float sum changes, which needs the
 * permission `reassociates`. All that the outer loop does must be to accumulate into one element that none of its axes
 * chooses.
 */
export const rfactor = primitive('rfactor', (s, axis: string, outer: string, name?: string) => {
  const place = findLoop(s.kernel, axis, 'rfactor'),
    root = findLoop(s.kernel, outer, 'rfactor')
  const refuse = (reason: string, why: string): never => {
    throw scheduleError(s.kernel, 'rfactor', reason, why, axis)
  }
  if (place.loop !== root.loop && !place.ancestors.includes(root.loop))
    refuse('not-inside', `${axis} does not stand in ${outer}`)
  if (!ix.isConst(place.loop.extent))
    refuse('extent', `the number of partial results is constant, and the extent of ${axis} is ${place.loop.extent.key}`)
  const inside = new Set(bindersOf([root.loop]))
  const local = accessesOf([root.loop]).filter(a => !inside.has(a.buffer) && a.kind !== 'read')
  const [update, ...others] = local
  if (update?.reducer === undefined || others.length > 0)
    return refuse('not-a-reduction', `${outer} must hold one accumulate and write nothing else outside itself`)
  const reducer: AccumulateOp = update.reducer
  const decl = declOf(s.kernel, update.buffer)
  if (decl === undefined) return refuse('no-buffer', `${update.buffer} is not known`)
  if (update.indices.some(i => [...variablesOf(i)].some(n => inside.has(n))))
    refuse('chooses-element', `an axis of ${outer} chooses the element of ${update.buffer}`)
  if (accessesOf([root.loop]).some(a => a.kind === 'read' && a.buffer === update.buffer))
    refuse('reads-accumulator', `${outer} reads ${update.buffer}`)
  if (!update.loops.some(l => l.axis === axis)) refuse('not-around', `${axis} does not stand around the accumulate`)
  if (!permits(s, 'reassociates') && !exactReducer(reducer, decl))
    refuse(
      'reassociates',
      `the order of the ${reducer} over ${axis} would change, which needs the permission reassociates`,
    )
  const taken = namesOf(s.kernel)
  const partial = freshName(taken, name ?? `${update.buffer}_rf`)
  const fill = freshName(taken, `${axis}_fill`),
    join = freshName(taken, `${axis}_join`)
  const { extent } = place.loop
  const loop = (over: string, body: Stmt): For => ({ kind: 'for', axis: over, extent, tag: 'serial', body: [body] })
  const neutral: Scalar = sc.literal(neutralOf(reducer, decl.dtype), decl.dtype)
  const [edited] = editStmts([root.loop], x =>
    x.kind === 'accumulate' && x.buffer === update.buffer
      ? [{ ...x, buffer: partial, indices: [ix.variable(axis)] }]
      : undefined,
  )
  if (edited === undefined) return refuse('not-a-reduction', `${outer} is empty`)
  return {
    kernel: replaceLoop(s.kernel, outer, () => [
      { kind: 'alloc', space: 'register', buffer: { name: partial, dtype: decl.dtype, shape: [extent] } },
      loop(fill, { kind: 'store', buffer: partial, indices: [ix.variable(fill)], value: neutral }),
      edited,
      loop(join, {
        kind: 'accumulate',
        buffer: update.buffer,
        indices: update.indices,
        reducer,
        value: sc.load(partial, decl.dtype, [ix.variable(join)]),
      }),
    ]),
  }
})
