/**
 * @file Contractions on a GPU: a workgroup computes a block of the result, whose operands pass through workgroup memory in
 * blocks of the depth; each thread keeps a small tile in registers.
 */
import { bind } from '../../schedule/primitives/bind.ts'
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { type Contraction, contractionOf } from '../gemm.ts'
import { type ScheduleRule, firstOf, start, tryEdit, typicalLength } from '../rule.ts'
import { fuseAll } from './grid.ts'

interface Block {
  readonly rows: number
  readonly columns: number
  readonly depth: number
  /** Results of one thread along each side. */
  readonly perThread: number
}

export const gridContractionRule: ScheduleRule = context => {
  const c = contractionOf(context.region)
  if (c?.rows === undefined) return undefined
  const s = start(context)
  const side = Math.min(typicalLength(s, c.rows), typicalLength(s, c.columns))
  // A few rows leave most of a block empty.
  if (side < 8) return undefined
  const large: Block = { rows: 64, columns: 64, depth: 16, perThread: 4 }
  const middle: Block = { rows: 32, columns: 32, depth: 16, perThread: 4 }
  const small: Block = { rows: 16, columns: 16, depth: 16, perThread: 2 }
  const blocks = side >= 256 ? [large, middle, small] : side >= 32 ? [middle, small] : [small]
  return firstOf(...blocks.map(block => () => blocked(s, c, c.rows ?? '', block)))
}

const blocked = (s: Schedule, c: Contraction, rows: string, block: Block): Schedule => {
  const { columns, depth } = c
  const batch = c.update.spatial.filter(a => a !== rows && a !== columns)
  let t = split(s, rows, block.rows, { tail: 'pad' })
  t = split(t, columns, block.columns, { tail: 'pad' })
  t = split(t, depth, block.depth, { tail: 'mask' })
  t = split(t, `${rows}_i`, block.perThread)
  t = split(t, `${columns}_i`, block.perThread)
  const threads = [`${rows}_i_o`, `${columns}_i_o`] as const
  const own = [`${rows}_i_i`, `${columns}_i_i`] as const
  t = reorder(t, ...batch, `${rows}_o`, `${columns}_o`, ...threads, `${depth}_o`, `${depth}_i`, ...own)
  t = computeAt(t, c.init.name, threads[1])
  t = computeAt(t, c.store.name, threads[1])
  t = setSpace(t, c.accumulator, 'register')
  const outer = fuseAll(t, batch)
  t = outer.schedule
  if (outer.axis !== undefined) t = bind(t, outer.axis, 'workgroup.z')
  t = bind(t, `${rows}_o`, 'workgroup.y')
  t = bind(t, `${columns}_o`, 'workgroup.x')
  t = bind(t, threads[0], 'thread.y')
  t = bind(t, threads[1], 'thread.x')
  for (const buffer of [...c.lhs, c.rhs]) t = stage(t, buffer, `${depth}_o`, { space: 'shared', fill: 0, threads: [...threads] })
  return [...own, ...c.init.spatial, ...c.store.spatial].reduce((u, axis) => tryEdit(u, v => unroll(v, axis)), t)
}
