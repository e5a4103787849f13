/** @file hoist: repeated loads are bound to a name, once per iteration. */
import { type Index, type Scalar, type Stmt, ix, scalar as sc } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { factsOf, provesInside, provesLess, withFacts } from '../bounds.ts'
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
  // A load that runs in every iteration may run once before; any other must be proved inside, and be of a param: an
  // element of a local buffer may not have been written yet.
  const domain = insideOf(place)
  const keyOf = (list: readonly Index[]): string => list.map(i => i.key).join()
  const always = new Set(
    uses
      .filter(a => a.conditional !== true && a.loops.every(l => provesLess(ix.constant(0), l.extent, domain)))
      .map(a => keyOf(a.indices)),
  )
  const isParam = s.kernel.params.some(p => p.name === buffer)
  const isSafe = (x: Extract<Scalar, { kind: 'load' }>): boolean => {
    const known = x.guard === undefined ? domain : withFacts(domain, factsOf(x.guard).facts)
    return (
      always.has(keyOf(x.indices)) || (isParam && x.indices.every((i, d) => provesInside(i, decl.shape[d] ?? i, known)))
    )
  }
  const body = rewriteStmts(place.loop.body, {
    scalar: x => {
      if (x.kind !== 'load' || x.buffer !== buffer || [...scalarVariables(x)].some(n => bound.has(n))) return undefined
      if (!isSafe(x)) return undefined
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
