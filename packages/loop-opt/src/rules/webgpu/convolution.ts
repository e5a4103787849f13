/**
 * @file Convolutions on a GPU: a thread computes neighbouring results of a few output channels, whose windows overlap. A row
 * of what the windows see stands in registers, so that each element is loaded, and its border tested, once.
 */
import type { Stage } from '../../lower/lowered-region.ts'
import { type Access, accessesOf } from '../../schedule/access.ts'
import { declOf, tryFindLoop } from '../../schedule/locate.ts'
import { bind } from '../../schedule/primitives/bind.ts'
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { layout } from '../../schedule/primitives/layout.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { variablesOf } from '../../schedule/tree.ts'
import { type RuleContext, type ScheduleRule, constantOf, firstOf, start, tryEdit, typicalLength } from '../rule.ts'
import { type Reduction, guardedLoads, mentions, nestOf, paramLoads, reductionOf, reusedAxis } from '../structure.ts'
import { groupAll, independentThreads } from './grid.ts'
import { writtenOut } from './written-out.ts'

/** Work for fewer threads than this leaves a device idle: tiles get smaller first. */
const enoughThreads = 4096
/** Products of one step that are written out. */
const mostProducts = 256
/** Of a tile's results, how many more may be computed than are wanted. */
const waste = 1.25

interface Window {
  /** Neighbouring results, and the reduced axis that their windows run along. */
  readonly column: string
  readonly along: string
  /** What is seen through windows. */
  readonly image: string
  /** Results along this axis see the same windows. */
  readonly channel: string | undefined
  readonly weights: string | undefined
}

interface Tile {
  readonly channels: number
  readonly columns: number
}

export const gridConvolutionRule: ScheduleRule = context => {
  const parts = reductionOf(context.region)
  if (parts === undefined) return undefined
  const s = start(context)
  const w = windowOf(s, parts.update)
  if (w === undefined) return undefined
  const results = parts.update.spatial.reduce((n, a) => n * typicalLength(s, a), 1)
  const window = constantOf(tryFindLoop(s.kernel, w.along)?.loop.extent) ?? Infinity
  const fits = (axis: string, by: number): boolean => {
    const extent = typicalLength(s, axis)
    return Math.ceil(extent / by) * by <= waste * extent
  }
  const tiles = tileSizes.filter(
    t =>
      (t.channels === 1 || (w.channel !== undefined && fits(w.channel, t.channels))) &&
      (t.columns === 1 || fits(w.column, t.columns)) &&
      t.channels * t.columns * window <= mostProducts &&
      results / (t.channels * t.columns) >= enoughThreads,
  )
  return firstOf(...tiles.map(tile => () => tiled(withLayout(context, s, w, tile), parts, w, tile)))
}

const tileSizes: readonly Tile[] = [
  { channels: 8, columns: 4 },
  { channels: 4, columns: 4 },
  { channels: 8, columns: 2 },
  { channels: 2, columns: 4 },
  { channels: 4, columns: 2 },
  { channels: 1, columns: 4 },
  { channels: 2, columns: 2 },
  { channels: 1, columns: 2 },
]

/** Loads whose last subscript moves with the columns and with a reduced axis see windows that overlap. */
const windowOf = (s: Schedule, update: Stage): Window | undefined => {
  const column = update.spatial.at(-1)
  if (column === undefined) return undefined
  const loads = paramLoads(s, update)
  const moves = (a: Access, axis: string): boolean => a.indices.slice(-1).some(i => variablesOf(i).has(axis))
  const along = update.reduce.find(axis => loads.some(a => moves(a, column) && moves(a, axis)))
  const image = loads.find(a => along !== undefined && moves(a, column) && moves(a, along))?.buffer
  if (along === undefined || image === undefined) return undefined
  const channel = reusedAxis(
    update,
    loads.filter(a => a.buffer === image),
    column,
  )
  const weights = loads.find(a => a.buffer !== image && mentions(a, along))?.buffer
  return { column, along, image, channel, weights }
}

/** Constant weights of a tile's channels side by side. */
const withLayout = ({ constants }: RuleContext, s: Schedule, w: Window, tile: Tile): Schedule => {
  const { weights, channel } = w
  const param = s.kernel.params.find(p => p.name === weights)
  const uses = accessesOf(s.kernel.body).filter(a => a.buffer === weights)
  const [use] = uses
  if (channel === undefined || weights === undefined || param === undefined || use === undefined) return s
  if (uses.length > 1 || tile.channels === 1 || !constants.has(weights)) return s
  const dim = use.indices.findIndex(i => variablesOf(i).has(channel))
  const others = param.shape.flatMap((_, d) => (d === dim ? [] : [{ dim: d }]))
  return tryEdit(s, u =>
    layout(u, weights, [
      { dim, part: 'block', by: tile.channels },
      ...others,
      { dim, part: 'inside', by: tile.channels },
    ]),
  )
}

/**
 *     for workgroups: for threads over rows and blocks of columns:
 *       acc[channels, columns] = 0                     registers
 *       for channels of the image: for rows of the window:
 *         row of the image, weights                    registers
 *         for the window: for channels: for columns: acc += row[…] * weights[…]      written out
 *       y[…] = epilogue(acc)
 */
const tiled = (s: Schedule, parts: Reduction, w: Window, tile: Tile): Schedule | undefined => {
  const { init, update, store } = parts
  const fill = guardedLoads(nestsOf(s, update)).get(w.image) ?? 0
  const { column, channel } = w
  const row = update.spatial.at(-2)
  if (row === undefined) return undefined
  const across = threadsOver(
    Math.ceil(typicalLength(s, column) / tile.columns),
    row === channel ? independentThreads : widest,
  )
  const down = threadsOver(row === channel ? 1 : typicalLength(s, row), Math.floor(independentThreads / across))
  let t = split(s, column, across * tile.columns, { tail: 'pad' })
  t = split(t, `${column}_i`, tile.columns)
  if (channel !== undefined) t = split(t, channel, tile.channels, { tail: 'pad' })
  if (row !== channel) t = split(t, row, down, { tail: 'pad' })
  const threads = [...(row === channel ? [] : [`${row}_i`]), `${column}_i_o`]
  const inner = [...(channel === undefined ? [] : [`${channel}_i`]), `${column}_i_i`]
  const groups = update.spatial.map(a => (a === column || a === row || a === channel ? `${a}_o` : a))
  const reduce = [...update.reduce.filter(a => a !== w.along), w.along]
  t = reorder(t, ...groups, ...threads, ...inner, ...reduce)
  const at = threads.at(-1) ?? ''
  t = computeAt(computeAt(t, init.name, at), store.name, at)
  t = setSpace(t, update.buffer, 'register')
  t = reorder(t, ...reduce, ...inner)
  for (const buffer of [w.image, ...(w.weights === undefined ? [] : [w.weights])])
    t = tryEdit(t, u => inRegisters(u, buffer, reduce.at(-2) ?? at, buffer === w.image ? fill : undefined))
  const [columns, ...channels] = [...inner].reverse()
  if (columns === undefined) return undefined
  t = reorder(t, columns, w.along, ...channels)
  t = [w.along, ...channels].reduce((u, axis) => unroll(u, axis), t)
  t = writtenOut(writtenOut(writtenOut(t, [columns]), init.spatial), store.spatial)
  const grouped = groupAll(t, groups)
  const tags = ['thread.x', 'thread.y'] as const
  return grouped && threads.reduce((u, axis, i) => bind(u, axis, tags[threads.length - 1 - i] ?? 'thread.x'), grouped)
}

/** What one step needs of a buffer. */
const inRegisters = (s: Schedule, buffer: string, axis: string, fill: number | undefined): Schedule => {
  const name = `${buffer}_r`
  const t = stage(s, buffer, axis, { space: 'register', name, ...(fill !== undefined && { fill }) })
  const rank = declOf(t.kernel, name)?.shape.length ?? 0
  return writtenOut(
    t,
    Array.from({ length: rank }, (_, d) => `${name}_${d}`),
  )
}

/** Threads side by side: what they read and write lies together. */
const widest = 16

/** As many as the work has, up to a limit, in groups of equal sizes. */
const threadsOver = (length: number, limit: number): number =>
  Math.ceil(length / Math.ceil(length / Math.max(1, limit)))

const nestsOf = (s: Schedule, update: Stage) => {
  const nest = nestOf(s, update)
  return nest === undefined ? [] : [nest]
}
