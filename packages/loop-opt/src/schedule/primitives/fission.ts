/** @file fission: a loop over several statements becomes a loop over each. */
import { type Stmt, ix } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { describe, mayMeet } from '../dependence.ts'
import { scheduleError } from '../error.ts'
import { declOf, findLoop } from '../locate.ts'
import { primitive, renameAxes } from '../schedule.ts'
import { type Alloc, freshName, namesOf, replaceLoop, rewriteStmts, substitute } from '../tree.ts'

/**
 * `fission('i', ['i_a', 'i_b'])`; buffers of the body get a leading dim:
 *
 *     for i < n:                       alloc t[n]
 *       alloc t[]                      for i_a < n: t[i_a] = f(i_a)
 *       t[] = f(i)               →     for i_b < n: y[i_b] = g(t[i_b])
 *       y[i] = g(t[])
 *
 * Legal where no statement needs what a later one did in an earlier iteration. A leading dim of one is widened instead. At
 * most `loops` loops are made, and the last takes the statements that are left; or `loops` says how many statements each takes. A
 * buffer of one loop alone stays as it is.
 */
export const fission = primitive(
  'fission',
  (s, axis: string, names: readonly string[] = [], loops: number | readonly number[] = Infinity) => {
    const place = findLoop(s.kernel, axis, 'fission')
    const { loop } = place
    if (loop.tag !== 'serial') throw scheduleError(s.kernel, 'fission', 'not-serial', `${axis} is ${loop.tag}`, axis)
    const allocs = loop.body.filter((x): x is Alloc => x.kind === 'alloc')
    const statements = loop.body.filter(x => x.kind !== 'alloc')
    const parts = partsOf(statements, loops)
    const bad = statements.find(x => x.kind === 'let' || x.kind === 'barrier')
    if (bad !== undefined)
      throw scheduleError(
        s.kernel,
        'fission',
        'body',
        `the body of ${axis} holds a ${bad.kind}, which belongs to all of its statements`,
        axis,
      )
    if (allocs.some(a => a.space === 'shared'))
      throw scheduleError(s.kernel, 'fission', 'shared', `the body of ${axis} holds a shared buffer`, axis)
    if (parts.length < 2)
      throw scheduleError(s.kernel, 'fission', 'nothing-to-part', `the body of ${axis} is one statement`, axis)
    const own = new Set(allocs.map(a => a.buffer.name))
    const touched = parts.map(p => accessesOf(p).filter(a => !own.has(a.buffer)))
    touched.forEach((first, i) =>
      touched.slice(i + 1).forEach(second => {
        for (const a of first)
          for (const b of second) {
            if (a.buffer !== b.buffer || (a.kind === 'read' && b.kind === 'read')) continue
            // The later statement of an iteration used to run before the earlier statement of the next.
            if (mayMeet(b, a, loop, 'later', place.domain, declOf(s.kernel, a.buffer)))
              throw scheduleError(
                s.kernel,
                'fission',
                'dependence',
                describe({ from: b, to: a, commutes: false }, axis),
                axis,
              )
          }
      }),
    )
    const taken = namesOf(s.kernel)
    taken.delete(axis)
    const axes = parts.map((_, i) => freshName(taken, names[i] ?? (i === 0 ? axis : `${axis}_${i}`)))
    const users = (a: Alloc): number[] =>
      parts.flatMap((p, i) => (accessesOf(p).some(x => x.buffer === a.buffer.name) ? [i] : []))
    const kept = new Map(allocs.filter(a => users(a).length === 1).map(a => [a.buffer.name, users(a)[0]]))
    const shared = allocs.filter(a => !kept.has(a.buffer.name))
    const widened = new Set(
      shared.filter(a => ix.isConst(a.buffer.shape[0] ?? ix.constant(0), 1)).map(a => a.buffer.name),
    )
    const expanded = (part: readonly Stmt[], to: string): readonly Stmt[] =>
      rewriteStmts(substitute(part, new Map([[axis, ix.variable(to)]])), {
        access: (buffer, indices) =>
          !own.has(buffer) || kept.has(buffer)
            ? undefined
            : { buffer, indices: [ix.variable(to), ...(widened.has(buffer) ? indices.slice(1) : indices)] },
      })
    const kernel = replaceLoop(s.kernel, axis, () => [
      ...shared.map((a): Stmt => ({
        ...a,
        buffer: {
          ...a.buffer,
          shape: [loop.extent, ...(widened.has(a.buffer.name) ? a.buffer.shape.slice(1) : a.buffer.shape)],
        },
      })),
      ...parts.map((p, i): Stmt => ({
        ...loop,
        axis: axes[i] ?? axis,
        body: [...allocs.filter(a => kept.get(a.buffer.name) === i), ...expanded(p, axes[i] ?? axis)],
      })),
    ])
    const inStage = (list: readonly string[]): number =>
      parts.findIndex(part =>
        part.some(
          p => p.kind === 'for' && accessesOf([p]).length > 0 && list.some(x => x !== axis && axesIn(p).has(x)),
        ),
      )
    const stages = s.stages.map(stage => {
      const part = inStage([...stage.spatial, ...stage.reduce])
      return part < 0 ? stage : (renameAxes([stage], a => (a === axis ? [axes[part] ?? axis] : [a]))[0] ?? stage)
    })
    return { kernel, stages }
  },
)

const partsOf = (statements: readonly Stmt[], loops: number | readonly number[]): readonly (readonly Stmt[])[] => {
  if (typeof loops === 'number')
    return statements.slice(0, loops).map((x, i) => (i === loops - 1 ? statements.slice(i) : [x]))
  let from = 0
  const parts = loops.map((count, i) => statements.slice(from, (from += i === loops.length - 1 ? Infinity : count)))
  return parts.filter(p => p.length > 0)
}

const axesIn = (s: Stmt, into = new Set<string>()): Set<string> => {
  if (s.kind === 'for') {
    into.add(s.axis)
    s.body.forEach(x => axesIn(x, into))
  }
  if (s.kind === 'if') [...s.then, ...s.else].forEach(x => axesIn(x, into))
  return into
}
