/**
 * @file Contractions of a few rows on a GPU, a vector times a matrix above all, and sums of few columns: there are too few
 * results to fill a device, so the threads of a workgroup share the depth too. Neighbouring threads read neighbouring
 * columns, each its part of the rows.
 */
import { accessesOf } from '../../schedule/access.ts'
import { bind } from '../../schedule/primitives/bind.ts'
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { rfactor } from '../../schedule/primitives/rfactor.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { type Contraction, contractionOf } from '../gemm.ts'
import { type ScheduleRule, firstOf, start, typicalLength } from '../rule.ts'
import { stepsAlong } from '../structure.ts'
import { groupAll } from './grid.ts'

/** With so many results, one a thread is enough. */
const enoughThreads = 4096
/** Each row reads the right-hand side again. */
const mostRows = 8
/** Rows of the right-hand side for each thread, below which joining costs more than it saves. */
const leastDepth = 4

interface Shape {
  /** Neighbouring columns of a workgroup. */
  readonly width: number
  /** Parts of the depth. */
  readonly parts: number
}

const shapes: readonly Shape[] = [
  { width: 64, parts: 4 },
  { width: 32, parts: 8 },
  { width: 16, parts: 16 },
]

export const gridThinRule: ScheduleRule = context => {
  const c = contractionOf(context.region)
  if (c === undefined) return undefined
  const s = start(context)
  const uses = accessesOf(s.kernel.body).filter(a => a.buffer === c.rhs)
  if (!uses.every(a => stepsAlong(a.indices, c.columns))) return undefined
  const results = c.update.spatial.reduce((n, a) => n * typicalLength(s, a), 1)
  const columns = typicalLength(s, c.columns),
    depth = typicalLength(s, c.depth)
  if (results > mostRows * columns) return undefined
  const wanted = shapes.filter(x => x.width <= Math.max(columns, 16) && depth >= leastDepth * x.parts)
  // The fewest parts that still fill the device.
  const first = wanted.findIndex(x => results * x.parts >= enoughThreads)
  if (results >= enoughThreads || wanted.length === 0) return undefined
  return firstOf(...wanted.slice(first).map(shape => () => thin(s, c, shape)))
}

/**
 *     for workgroups over blocks of columns:
 *       part[parts, width] in workgroup memory
 *       for threads: sum of one part of the depth, kept in a register
 *       barrier
 *       for threads: acc = the parts joined, y[…] = epilogue(acc)      the first of each column writes
 */
const thin = (s: Schedule, c: Contraction, { width, parts }: Shape): Schedule | undefined => {
  const { columns, depth } = c
  const others = c.update.spatial.filter(a => a !== columns)
  const [blocks, column, steps, part] = [`${columns}_o`, `${columns}_i`, `${depth}_o`, `${depth}_i`]
  const last = c.store.spatial.at(-1)
  if (last === undefined) return undefined
  let t = split(split(s, columns, width, { tail: 'pad' }), depth, parts, { tail: 'mask' })
  t = reorder(t, ...others, blocks, part, column, steps)
  t = computeAt(computeAt(t, c.init.name, blocks), c.store.name, blocks)
  const sums = `${c.accumulator}_part`
  t = rfactor(t, part, part, sums)
  const join = `${column}_join`
  t = computeAt(computeAt(t, c.init.name, join), c.store.name, join)
  t = setSpace(t, c.accumulator, 'register')
  t = stage(t, sums, steps, { space: 'register', around: true, update: true, name: `${c.accumulator}_sum` })
  t = unroll(t, `${part}_join`)
  const grouped = groupAll(t, [...others, blocks])
  if (grouped === undefined) return undefined
  t = setSpace(grouped, sums, 'shared')
  t = bind(t, [column, `${column}_fill`, join], 'thread.x')
  t = split(t, last, parts, { tail: 'guard' })
  return bind(t, [part, `${part}_fill`, `${last}_i`], 'thread.y')
}
