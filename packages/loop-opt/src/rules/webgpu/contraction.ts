/**
 * @file Contractions on a GPU: a workgroup computes a block of the result, whose operands pass through workgroup memory in
 * blocks of the depth; each thread keeps a small tile in registers.
 */
import { accessesOf } from '../../schedule/access.ts'
import { declOf } from '../../schedule/locate.ts'
import { bind } from '../../schedule/primitives/bind.ts'
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { layout } from '../../schedule/primitives/layout.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { variablesOf } from '../../schedule/tree.ts'
import { type Contraction, contractionOf } from '../gemm.ts'
import { type RuleContext, type ScheduleRule, constantOf, firstOf, start, tryEdit, typicalLength } from '../rule.ts'
import { stepsAlong } from '../structure.ts'
import { groupAll } from './grid.ts'
import { vector, writtenOut } from './written-out.ts'

/** Extents of the block of a workgroup; a thread has `tile` × `tile` results of it. */
interface Block {
  readonly rows: number
  readonly columns: number
  readonly depth: number
  readonly tile: number
}

const blocks = [
  { rows: 64, columns: 64, depth: 16, tile: 4 },
  { rows: 32, columns: 32, depth: 16, tile: 4 },
  { rows: 16, columns: 16, depth: 16, tile: 2 },
] as const satisfies readonly Block[]

/** Workgroups that keep a device busy: fewer, larger blocks leave most of it idle. */
const enoughWorkgroups = 16
/** Below this depth, what is copied is hardly used again before the next barrier. */
const shallow = 24

export const gridContractionRule: ScheduleRule = context => {
  const c = contractionOf(context.region)
  if (c?.rows === undefined) return undefined
  const { rows, columns } = c
  const s = start(context)
  const length = (axis: string): number => typicalLength(s, axis)
  const side = Math.min(length(rows), length(columns))
  // A few rows leave most of a block empty, and barriers cost more than they save.
  if (side < 16 || length(c.depth) < shallow) return undefined
  const others = c.update.spatial.filter(a => a !== rows && a !== columns)
  const count = (b: Block): number =>
    Math.ceil(length(rows) / b.rows) *
    Math.ceil(length(columns) / b.columns) *
    others.reduce((n, a) => n * length(a), 1)
  const fitting = blocks.filter(b => b.rows <= 2 * side && sharedBytes(context, c, b) <= memoryOf(context))
  const first = fitting.findIndex(b => count(b) >= enoughWorkgroups)
  const wanted = first < 0 ? fitting.slice(-2) : fitting.slice(first)
  return firstOf(...wanted.map(block => () => blocked(withLayout(context, s, c, block), c, rows, block)))
}

/** Bytes of workgroup memory for one block of every operand. */
const sharedBytes = ({ region, target }: RuleContext, c: Contraction, block: Block): number =>
  [...c.lhs, c.rhs].reduce((bytes, name) => {
    const dtype = region.kernel.params.find(p => p.name === name)?.dtype ?? 'f32'
    return bytes + (name === c.rhs ? block.columns : block.rows) * block.depth * target.elementBytes[dtype]
  }, 0)

const memoryOf = ({ target }: RuleContext): number =>
  target.parallelism.kind === 'grid' ? target.parallelism.sharedBytes : 0

/** A constant right-hand side that no thread could read in vectors is packed in blocks of columns at build. */
const withLayout = ({ constants }: RuleContext, s: Schedule, c: Contraction, block: Block): Schedule => {
  const param = s.kernel.params.find(p => p.name === c.rhs)
  const uses = accessesOf(s.kernel.body).filter(a => a.buffer === c.rhs)
  const [use] = uses
  if (param === undefined || use === undefined || uses.length > 1 || !constants.has(c.rhs)) return s
  if (param.strides !== undefined || param.offset !== undefined) return s
  const along = (axis: string): number => use.indices.findIndex(i => variablesOf(i).has(axis))
  const depth = along(c.depth),
    column = along(c.columns)
  const extent = constantOf(param.shape[column])
  const readable = stepsAlong(use.indices, c.columns) && extent !== undefined && extent % vector === 0
  if (readable || depth < 0 || column < 0 || depth === column) return s
  const others = param.shape.flatMap((_, dim) => (dim === depth || dim === column ? [] : [{ dim }]))
  return layout(s, c.rhs, [
    ...others,
    { dim: column, part: 'block', by: block.columns },
    { dim: depth },
    { dim: column, part: 'inside', by: block.columns },
  ])
}

/**
 *     for workgroups: for threads:              one thread: tile × tile registers
 *       acc = 0
 *       for k_o: barrier, copy blocks of both operands together, barrier
 *         for k_i in fours: rows and columns of the tile from workgroup memory, their products into acc
 *       y[…] = epilogue(acc)
 */
const blocked = (s: Schedule, c: Contraction, rows: string, block: Block): Schedule => {
  const { columns, depth } = c
  const batch = c.update.spatial.filter(a => a !== rows && a !== columns)
  let t = split(s, rows, block.rows, { tail: 'pad' })
  t = split(t, columns, block.columns, { tail: 'pad' })
  t = split(t, depth, block.depth, { tail: 'mask' })
  t = split(t, `${rows}_i`, block.tile)
  t = split(t, `${columns}_i`, block.tile)
  const threads = [`${rows}_i_o`, `${columns}_i_o`] as const
  const own = [`${rows}_i_i`, `${columns}_i_i`] as const
  t = reorder(t, ...batch, `${rows}_o`, `${columns}_o`, ...threads, `${depth}_o`, `${depth}_i`, ...own)
  t = computeAt(t, c.init.name, threads[1])
  t = computeAt(t, c.store.name, threads[1])
  t = setSpace(t, c.accumulator, 'register')
  t = groupAll(t, [...batch, `${rows}_o`, `${columns}_o`]) ?? t
  t = bind(t, threads[0], 'thread.y')
  t = bind(t, threads[1], 'thread.x')
  for (const buffer of [...c.lhs, c.rhs]) t = share(t, buffer, `${depth}_o`, own[1], threads)
  t = inner(t, c, own)
  for (const nest of [c.init.spatial, c.store.spatial]) t = writtenOut(t, nest)
  return t
}

/** Both operands a block at a time in workgroup memory, copied in vectors, columns side by side. */
const share = (s: Schedule, buffer: string, axis: string, column: string, threads: readonly string[]): Schedule => {
  const [use] = accessesOf(s.kernel.body).filter(a => a.buffer === buffer)
  const rank = declOf(s.kernel, buffer)?.shape.length ?? 0
  const dims = Array.from({ length: rank }, (_, d) => d)
  const last = use?.indices.findIndex(i => variablesOf(i).has(column)) ?? -1
  const permute = last < 0 ? dims : [...dims.filter(d => d !== last), last]
  const options = { space: 'shared', fill: 0, threads, permute } as const
  const copied = firstOf(
    () => vectorize(stage(s, buffer, axis, { ...options, lanes: vector }), `${buffer}_t_v`),
    () => stage(s, buffer, axis, options),
  )
  return tryEdit(copied ?? s, u => unroll(u, `${buffer}_t_c`))
}

/** A thread's rows and columns of a few steps of the depth in registers, and their products, written out. */
const inner = (s: Schedule, c: Contraction, [row, column]: readonly [string, string]): Schedule => {
  const steps = `${c.depth}_i`
  let t = split(s, steps, vector)
  for (const buffer of [...c.lhs, c.rhs]) {
    const name = `${buffer}_r`
    t = stage(t, `${buffer}_t`, `${steps}_o`, { space: 'register', name })
    const rank = declOf(t.kernel, name)?.shape.length ?? 0
    t = writtenOut(
      t,
      Array.from({ length: rank }, (_, d) => `${name}_${d}`),
    )
  }
  t = reorder(t, column, `${steps}_i`, row)
  t = [`${steps}_i`, row].reduce((u, axis) => unroll(u, axis), t)
  return writtenOut(t, [column])
}
