/**
 * @file Windows over pictures whose results lie channels last, on a CPU: vectors hold neighbouring channels, and some pixels of
 * a line stay in registers while the window passes.
 */
import { type Access, accessesOf } from '../../schedule/access.ts'
import { tryFindLoop } from '../../schedule/locate.ts'
import { type PhysicalDim, layout } from '../../schedule/primitives/layout.ts'
import { partition } from '../../schedule/primitives/partition.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import type { Core } from '../../target/target-info.ts'
import { variablesOf } from '../../schedule/tree.ts'
import { type RuleContext, type ScheduleRule, constantOf, firstOf, start, tryEdit } from '../rule.ts'
import { type Reduction, guardedLoads, mentions, paramLoads, reductionOf, stepsAlong } from '../structure.ts'
import { cycles } from './contraction.ts'
import { inParallel } from './map.ts'
import { borders, intoRegisters } from './tiles.ts'
import { lanesIn, unrollSmall } from './vector.ts'

export const channelsRule: ScheduleRule = context => {
  const parts = reductionOf(context.region)
  const column = parts?.update.spatial.at(-1),
    row = parts?.update.spatial.at(-2)
  if (parts === undefined || column === undefined || row === undefined) return undefined
  const { update } = parts
  const s = start(context)
  const loads = paramLoads(s, update)
  // What is read of the picture moves with the pixel and with the window at once.
  const moves = (a: Access, axis: string): boolean => update.reduce.some(k => a.indices.some(i => hasAll(i, k, axis)))
  if (loads.some(a => moves(a, column))) return undefined
  const picture = loads.find(a => moves(a, row))
  const width = extentOf(s, row)
  if (picture === undefined || width === undefined) return undefined
  const line = update.spatial.filter(a => a !== row && a !== column && mentions(picture, a)).at(-1)
  const window: Window = { parts, row, column, line, picture, width, lanes: lanesIn(s, column) }
  if (stepsAlong(picture.indices, column)) return firstOf(() => inParallel(ownWindows(s, window, context), context))
  if (mentions(picture, column)) return undefined
  const { reduce } = update
  const length = (axis: string): number => extentOf(s, axis) ?? Infinity
  // The longest loop innermost, where its start and its end count least; where no sum may change its order, as they are.
  const sorted = [...reduce].sort((a, b) => length(a) - length(b))
  const made = firstOf(
    () => allChannels(s, window, sorted, context),
    () => allChannels(s, window, reduce, context),
  )
  return made && inParallel(made, context)
}

const hasAll = (index: Access['indices'][number], ...axes: readonly string[]): boolean =>
  axes.every(a => variablesOf(index).has(a))
const extentOf = (s: Schedule, axis: string): number | undefined => constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)

interface Window {
  readonly parts: Reduction
  /** The axes over the pixels of a line, over channels, and over lines. */
  readonly row: string
  readonly column: string
  readonly line: string | undefined
  /** The access to the picture. */
  readonly picture: Access
  readonly width: number
  readonly lanes: number
}

/** Pixels of a tile whose channels have windows of their own: two were measured to be best, and a tile of another size has no rest. */
const fewPixels = [2, 3, 7, 5, 4, 1]

/**
 * Each channel has a window of its own (depthwise convolution, pooling): weights are read as often as pixels, and nothing is
 * gained by copying lines with a border. First and last lines and tiles stand apart instead, and they alone know of it.
 *
 *     for h: for n: for w_o:
 *       for c_o:  acc[pixels × lanes] = 0        registers
 *                 for k…: acc[…] += …            a line of it written out
 *                 y[…] = epilogue(acc)
 */
const ownWindows = (s: Schedule, window: Window, { constants }: RuleContext): Schedule => {
  const { parts, row, column, line, width, lanes } = window
  const { update } = parts
  const height = fewPixels.find(n => width % n === 0) ?? 1
  const [outer, inner] = [`${row}_o`, `${row}_i`]
  let t = weightsPacked(s, window, constants, (channel, others) => [...others, { dim: channel }])
  t = split(t, row, height)
  t = reorder(t, ...outermost(window), outer, column, inner)
  t = intoRegisters(
    t,
    parts,
    { row, height, width: lanes, tail: 'peel', lanes, team: false, written: false },
    inner,
    update.reduce,
  )
  // One line of the window: all of it written out is a seventh more code, and was not measured to be faster.
  for (const axis of update.reduce.slice(-1).flatMap(k => [k, `${k}_r`])) t = unrollSmall(t, axis)
  t = tryEdit(t, u => partition(u, outer))
  return line === undefined ? t : tryEdit(t, u => partition(u, line))
}

/** Loops around the lines first of all, so that a team has the lines of the picture to share. */
const outermost = ({ parts, row, column, line }: Window): readonly string[] => [
  ...(line === undefined ? [] : [line]),
  ...parts.update.spatial.filter(a => a !== row && a !== column && a !== line),
]

/**
 * Every channel of a result needs all of a window: the lines it moves over are copied once with their border, panels of
 * weights pass over them.
 *
 *     for h: for n:
 *       copy = the lines of the window
 *       for c_o: for w_o:  acc[pixels × channels] = 0; for k…: acc[…] += …; y[…] = epilogue(acc)
 */
const allChannels = (
  s: Schedule,
  window: Window,
  reduce: readonly string[],
  context: RuleContext,
): Schedule | undefined => {
  const { parts, row, column, line, picture, width, lanes } = window
  const channels = extentOf(s, column)
  const { core, registers } = context.target
  if (core === undefined || line === undefined || channels === undefined || channels < lanes) return undefined
  const tile = tileOf({ width, channels, lanes, registers, core })
  const by = tile.vectors * lanes
  const [outer, inner] = [`${row}_o`, `${row}_i`]
  let t = weightsPacked(s, window, context.constants, (channel, _, dimOf) => [
    { dim: channel, part: 'block', by },
    ...reduce.flatMap(k => dimOf(k) ?? []),
    { dim: channel, part: 'inside', by },
  ])
  t = split(t, row, tile.height)
  t = reorder(t, ...outermost(window), outer, column, inner)
  const around = outermost(window).at(-1) ?? line
  const fill = guardedLoads(tryFindLoop(t.kernel, around)?.loop.body ?? []).get(picture.buffer)
  if (fill !== undefined) {
    const name = `${picture.buffer}_lines`
    t = borders(stage(t, picture.buffer, around, { space: 'private', name, fill }), name)
  }
  t = intoRegisters(
    t,
    parts,
    { row, height: tile.height, width: by, tail: 'peel', lanes, team: false, written: false },
    inner,
    reduce,
  )
  // A panel of weights passes all pixels of a line before the next.
  t = tryEdit(t, u => reorder(u, `${column}_o`, outer))
  const last = reduce.at(-1)
  return last !== undefined && (extentOf(s, last) ?? Infinity) <= 4 ? tryEdit(t, u => unroll(u, last)) : t
}

/** The tile of whose products the fewest cycles are lost, among those that divide a line. */
const tileOf = (q: {
  readonly width: number
  readonly channels: number
  readonly lanes: number
  readonly registers: number
  readonly core: Core
}): { readonly height: number; readonly vectors: number } => {
  let best = { height: 1, vectors: 1, cost: Infinity }
  for (let vectors = 1; vectors <= 4; vectors++)
    for (let height = 1; height <= 8; height++) {
      const room = height * vectors <= q.core.accumulators.plain && height * vectors + vectors + 2 <= q.registers
      if (q.width % height !== 0 || !room) continue
      const panels = Math.ceil(q.channels / (vectors * q.lanes))
      const cost = (panels * cycles(q.core, height, vectors)) / height
      if (cost < best.cost) best = { height, vectors, cost }
    }
  return best
}

/** Constants that each channel reads its own part of: the channels of one place side by side. */
const weightsPacked = (
  s: Schedule,
  { parts: { update }, column }: Window,
  constants: ReadonlySet<string>,
  order: (
    channel: number,
    others: readonly PhysicalDim[],
    dimOf: (axis: string) => PhysicalDim | undefined,
  ) => readonly PhysicalDim[],
): Schedule => {
  const [outermost] = update.spatial
  const place = outermost === undefined ? undefined : tryFindLoop(s.kernel, outermost)
  const reads = place === undefined ? [] : accessesOf([place.loop]).filter(a => a.kind === 'read')
  return [...constants].reduce((t, buffer) => {
    const [use] = reads.filter(a => a.buffer === buffer)
    const dimOf = (axis: string): number => use?.indices.findIndex(i => i.kind === 'var' && i.name === axis) ?? -1
    const channel = dimOf(column)
    if (use === undefined || channel < 0 || use.indices.length < 2) return t
    const others = use.indices.map((_, dim) => ({ dim })).filter(({ dim }) => dim !== channel)
    const dims = order(channel, others, axis => (dimOf(axis) < 0 ? undefined : { dim: dimOf(axis) }))
    return tryEdit(t, u => layout(u, buffer, dims))
  }, s)
}
