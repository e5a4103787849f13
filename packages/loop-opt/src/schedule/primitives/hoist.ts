/** @file hoist: repeated loads are bound to a name, once per iteration. */
import { type Scalar, type Stmt, scalar as sc } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { provesInside, withFacts } from '../bounds.ts'
import { scheduleError } from '../error.ts'
import { declOf, findLoop, insideOf } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { bindersOf, freshName, namesOf, replaceLoop, rewriteStmts, scalarVariables } from '../tree.ts'

/**
 * `hoist('a', 'i')`:
 *
 *     for i: for j: y[i, j] = a[i] * b[j]   →   for i: let a_v = a[i]
 *                                                      for j: y[i, j] = a_v * b[j]
 *
 * Binds every load of the buffer in the body that depends on nothing the body binds. The body must not write the buffer,
 * and a load that stood under a condition must be inside the buffer without it.
 */
export const hoist = primitive('hoist', (s, buffer: string, axis: string) => {
  const place = findLoop(s.kernel, axis, 'hoist')
  const decl = declOf(s.kernel, buffer)
  const uses = accessesOf(place.loop.body).filter(a => a.buffer === buffer)
  if (decl === undefined || uses.length === 0)
    throw scheduleError(s.kernel, 'hoist', 'unused', `the body of ${axis} does not load ${buffer}`, axis)
  if (uses.some(a => a.kind !== 'read'))
    throw scheduleError(s.kernel, 'hoist', 'written', `the body of ${axis} writes ${buffer}`, axis)
  const bound = new Set(bindersOf(place.loop.body))
  const taken = namesOf(s.kernel)
  const lets = new Map<string, { name: string; value: Scalar }>()
  const safe = new Map<string, boolean>()
  for (const a of uses) {
    const key = a.indices.map(i => i.key).join()
    const isSafe =
      a.facts.length === 0 ||
      a.indices.every((x, d) => provesInside(x, decl.shape[d] ?? x, withFacts(insideOf(place), [])))
    safe.set(key, (safe.get(key) ?? false) || isSafe)
  }
  const body = rewriteStmts(place.loop.body, {
    scalar: x => {
      if (x.kind !== 'load' || x.buffer !== buffer || [...scalarVariables(x)].some(n => bound.has(n))) return undefined
      if (x.guard === undefined && safe.get(x.indices.map(i => i.key).join()) !== true) return undefined
      const known = lets.get(x.key) ?? { name: freshName(taken, `${buffer}_v`), value: x }
      lets.set(x.key, known)
      return sc.ref(known.name, x.dtype)
    },
  })
  if (lets.size === 0)
    throw scheduleError(
      s.kernel,
      'hoist',
      'nothing-invariant',
      `every load of ${buffer} in the body of ${axis} depends on what the body binds, or stands under a condition that keeps it inside`,
      axis,
    )
  const bindings = [...lets.values()].map(({ name, value }): Stmt => ({ kind: 'let', name, value }))
  return { kernel: replaceLoop(s.kernel, axis, loop => [{ ...loop, body: [...bindings, ...body] }]) }
})
