/** @file rfactor: a reduction keeps several partial results, and combines them at its end. */
import { type AccumulateOp, type Index, type Scalar, type Stmt, ix, neutralOf, scalar as sc } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { provesInside, withAxis } from '../bounds.ts'
import { exactReducer } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { declOf, findLoop } from '../locate.ts'
import { permits, primitive } from '../schedule.ts'
import { type For, bindersOf, editStmts, freshName, namesOf, replaceLoop, rewriteIndex, variablesOf } from '../tree.ts'

/**
 * `rfactor('k_i', 'k_o')`, where k_o is the outermost loop of the reduction:
 *
 *     for k_o: for k_i < 4: acc[i] sum= f   →   alloc register acc_rf: [4]
 *                                               for k_i_fill < 4: acc_rf[k_i_fill] = 0
 *                                               for k_o: for k_i < 4: acc_rf[k_i] sum= f
 *                                               for k_i_join < 4: acc[i] sum= acc_rf[k_i_join]
 *
 * After it k_i carries nothing, so it can become lanes or threads. The order of a float sum changes, which needs the
 * permission `reassociates`. All that the outer loop does must be to accumulate into one buffer. Axes inside that choose the
 * element have constant extents, and partial results for each:
 *
 *     for k_i < 4: for j < 8:                   alloc register acc_rf: [4, 8]
 *       for k_o: acc[j] sum= f             →    for k_i_fill < 4: for j_fill < 8: acc_rf[k_i_fill, j_fill] = 0
 *                                               for k_i < 4: for j < 8: for k_o: acc_rf[k_i, j] sum= f
 *                                               for j_join < 8: for k_i_join < 4: acc[j_join] sum= acc_rf[k_i_join, j_join]
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
  const chosen = new Set(update.indices.flatMap(i => [...variablesOf(i)].filter(n => inside.has(n))))
  const choosing = update.loops.filter(l => chosen.delete(l.axis))
  const known = choosing.reduce((d, l) => withAxis(d, l.axis, l.extent), root.domain)
  if (
    chosen.size > 0 ||
    choosing.some(l => l.axis === axis || !ix.isConst(l.extent)) ||
    (choosing.length > 0 && !update.indices.every((i, d) => provesInside(i, decl.shape[d] ?? i, known)))
  )
    refuse(
      'chooses-element',
      `what chooses the element of ${update.buffer} inside ${outer} is no axis of constant extent, or leaves ${update.buffer} but for a condition`,
    )
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
  const loop = (over: string, size: Index, body: Stmt): For => ({
    kind: 'for',
    axis: over,
    extent: size,
    tag: 'serial',
    body: [body],
  })
  /** A statement over all partial results; the axes that choose the element stand inside or outside. */
  const overAll = (suffix: string, lane: string, outside: boolean, body: (at: Map<string, Index>) => Stmt): Stmt => {
    const names = choosing.map(l => ({ l, name: freshName(taken, `${l.axis}_${suffix}`) }))
    const elements = (inner: Stmt): Stmt => names.reduceRight((b, { l, name }) => loop(name, l.extent, b), inner)
    const innermost = body(new Map(names.map(({ l, name }) => [l.axis, ix.variable(name)])))
    return outside ? elements(loop(lane, extent, innermost)) : loop(lane, extent, elements(innermost))
  }
  const element = (lane: string, at: ReadonlyMap<string, Index>): Index[] => [
    ix.variable(lane),
    ...choosing.map(l => at.get(l.axis) ?? ix.variable(l.axis)),
  ]
  const neutral: Scalar = sc.literal(neutralOf(reducer, decl.dtype), decl.dtype)
  const [edited] = editStmts([root.loop], x =>
    x.kind === 'accumulate' && x.buffer === update.buffer
      ? [{ ...x, buffer: partial, indices: element(axis, new Map()) }]
      : undefined,
  )
  if (edited === undefined) return refuse('not-a-reduction', `${outer} is empty`)
  return {
    kernel: replaceLoop(s.kernel, outer, () => [
      {
        kind: 'alloc',
        space: 'register',
        buffer: { name: partial, dtype: decl.dtype, shape: [extent, ...choosing.map(l => l.extent)] },
      },
      overAll('fill', fill, false, at => ({
        kind: 'store',
        buffer: partial,
        indices: element(fill, at),
        value: neutral,
      })),
      edited,
      overAll('join', join, true, at => ({
        kind: 'accumulate',
        buffer: update.buffer,
        indices: update.indices.map(i => rewriteIndex(i, { variable: n => at.get(n) })),
        reducer,
        value: sc.load(partial, decl.dtype, element(join, at)),
      })),
    ]),
  }
})
