/**
 * @file Reductions along rows on a GPU: a workgroup takes a row, its threads share partial results in workgroup memory and
 * join them in a tree. Softmax, norms and plain reductions.
 */
import type { Stage } from '../../lower/lowered-region.ts'
import { bind } from '../../schedule/primitives/bind.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { rfactor } from '../../schedule/primitives/rfactor.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { type ScheduleRule, start, typicalLength } from '../rule.ts'
import { contiguousAxis, gatherAt, paramLoads, rowsFirst, updatesOf } from '../structure.ts'
import { fuseAll } from './grid.ts'

/** Values that one thread joins at each level of the tree. */
const fanIn = 8

export const gridTreeRule: ScheduleRule = context => {
  const updates = updatesOf(context.region.stages)
  if (updates.length === 0) return undefined
  let s = start(context)
  const along = updates.map(u => contiguousAxis(paramLoads(s, u), [...u.spatial, ...u.reduce]))
  if (!updates.every((u, i) => u.reduce.includes(along[i] ?? u.reduce[0] ?? ''))) return undefined
  const length = Math.max(...updates.map(u => u.reduce.reduce((n, a) => n * typicalLength(s, a), 1)))
  if (length < 32) return undefined
  const threads = length >= 512 ? 256 : 64
  const found = rowsFirst(s)
  let at = found?.rows.at(-1)
  if (found === undefined || at === undefined) return undefined
  const { rows } = found
  s = found.schedule
  // A row of one element still needs a loop that a thread can take.
  let { inner } = found
  if (inner.length === 0) {
    s = split(s, at, 1)
    inner = [`${at}_i`]
    at = `${at}_o`
  }
  s = gatherAt(s, at)
  const outer = fuseAll(s, [...rows.slice(0, -1), at])
  if (outer.axis === undefined) return undefined
  s = bind(outer.schedule, outer.axis, 'workgroup.x')
  const bound: string[] = []
  for (const stage of s.stages) {
    if (stage.role === 'update') {
      const made = partials(s, stage, threads)
      s = made.schedule
      bound.push(...made.threads)
    }
  }
  const flat = fuseAll(s, inner)
  if (flat.axis === undefined) return undefined
  const last = overThreads(flat.schedule, flat.axis, threads)
  s = last.schedule
  bound.push(last.thread)
  for (const name of sharedNames(s)) s = setSpace(s, name, 'shared')
  return bind(s, bound, 'thread.x')
}

/** Partial results of a stage are those that its threads leave for each other. */
const sharedNames = (s: Schedule): string[] => {
  const names: string[] = []
  const walk = (stmts: readonly (typeof s.kernel.body)[number][]): void => {
    for (const x of stmts) {
      if (x.kind === 'alloc' && x.buffer.name.includes('_part')) names.push(x.buffer.name)
      if (x.kind === 'for') walk(x.body)
    }
  }
  walk(s.kernel.body)
  return names
}

/** The loop with the threads outside: each takes every `threads`-th iteration. */
const overThreads = (s: Schedule, axis: string, threads: number): { schedule: Schedule; thread: string } => {
  const t = split(s, axis, threads, { tail: 'guard' })
  return { schedule: reorder(t, `${axis}_i`, `${axis}_o`), thread: `${axis}_i` }
}

/** One partial result a thread, joined level by level; the last few by every thread for itself. */
const partials = (s: Schedule, update: Stage, threads: number): { schedule: Schedule; threads: string[] } => {
  const reduced = fuseAll(s, update.reduce)
  const axis = reduced.axis ?? ''
  const lane = `${axis}_i`
  let t = split(reduced.schedule, axis, threads, { tail: 'guard' })
  t = rfactor(t, lane, `${axis}_o`, `${update.buffer}_part`)
  t = reorder(t, lane, `${axis}_o`)
  const bound = [lane, `${lane}_fill`]
  let join = `${lane}_join`
  for (let left = threads / fanIn; left >= 4; left /= fanIn) {
    t = split(t, join, left)
    const part = `${join}_i`
    t = rfactor(t, part, `${join}_o`, `${update.buffer}_part${left}`)
    t = reorder(t, part, `${join}_o`)
    for (const loop of [`${part}_fill`, part]) {
      // Fewer threads than the workgroup has: the others wait at the barrier.
      t = split(t, loop, threads, { tail: 'guard' })
      t = reorder(t, `${loop}_i`, `${loop}_o`)
      bound.push(`${loop}_i`)
    }
    join = `${part}_join`
  }
  return { schedule: t, threads: bound }
}
