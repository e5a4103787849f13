/**
 * @file Reductions on a CPU whose neighbouring results come from neighbouring elements (column sums, pooling, depthwise and
 * direct convolution): vectors hold neighbouring results while the reduction runs, and a tile of them stays in registers.
 */
import type { Stage } from '../../lower/lowered-region.ts'
import { inPlacePairs } from '../../memory/in-place.ts'
import { type Access, accessesOf } from '../../schedule/access.ts'
import { declOf, tryFindLoop } from '../../schedule/locate.ts'
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { fission } from '../../schedule/primitives/fission.ts'
import { fuse } from '../../schedule/primitives/fuse.ts'
import { hoist } from '../../schedule/primitives/hoist.ts'
import { partition } from '../../schedule/primitives/partition.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { variablesOf } from '../../schedule/tree.ts'
import { type ScheduleRule, constantOf, firstOf, start, tryEdit } from '../rule.ts'
import {
  type Reduction,
  contiguousAxis,
  guardedLoads,
  mentions,
  paramLoads,
  reductionOf,
  reusedAxis,
} from '../structure.ts'
import { type LineBlocks, lineBlocksOf, linesCopied, strideOf, tilesPacked } from './line-blocks.ts'
import { inParallel, isTeam } from './map.ts'
import { lanesIn, unrollSmall, vectors } from './vector.ts'

export const tileRule: ScheduleRule = context => {
  const parts = reductionOf(context.region)
  const column = parts?.update.spatial.at(-1)
  if (parts === undefined || column === undefined) return undefined
  const s = start(context)
  const loads = paramLoads(s, parts.update)
  if (!loads.some(a => inLast(a, column))) return undefined
  // Columns that far apart are rows: what is summed lies side by side.
  const along = contiguousAxis(loads, parts.update.reduce)
  if (along !== undefined && loads.every(a => !mentions(a, column) || strideOf(a, column) >= farApart)) return undefined
  const lanes = lanesIn(s, column)
  const reused = reusedAxis(parts.update, loads, column)
  // Without channels to sum over, a result takes no longer than the loops around its few products would.
  const written = reused === undefined && hasSmallWindow(s, parts.update)
  const row = reused ?? (written ? linesOf(parts.update, loads, column) : undefined)
  const width = extentOf(s, column),
    height = row === undefined ? undefined : extentOf(s, row)
  const heights = height === undefined ? [1] : (reused === undefined ? [2, 1] : [4, 2, 1]).filter(h => height % h === 0)
  // Blocks that overlap write some results twice: only where the team does not split along them, and where no operand of the
  // epilogue (a residual) may share the memory of the result.
  const mayOverlap =
    (parts.update.spatial.length > 1 || !isTeam(context)) && inPlacePairs(context.region.kernel).length === 0
  const blocks =
    reused === undefined ? undefined : lineBlocksOf(s, parts.update, loads, { row: reused, column }, context.target)
  return firstOf(
    ...heights.flatMap(h =>
      tailsFor(width, h > 1 ? [2, 1] : [4, 2, 1], lanes, mayOverlap).flatMap(t => {
        const tile = {
          row: h > 1 ? row : undefined,
          height: h,
          ...t,
          lanes,
          team: isTeam(context),
          written,
        }
        return [
          ...(blocks === undefined || h === 1
            ? []
            : [() => inParallel(tiledLines(s, parts, tile, blocks, context.constants), context)]),
          () => inParallel(tiled(s, parts, tile), context),
        ]
      }),
    ),
  )
}

/** Elements from one column to the next with which no cache line holds two. */
const farApart = 64

interface ColumnTile {
  readonly width: number
  readonly tail: 'peel' | 'overlap'
}

/** Ways to cover the columns, cheapest first. A block of one vector is less than half as dear as one of two, not half. */
const tailsFor = (
  columns: number | undefined,
  vectors: readonly number[],
  lanes: number,
  mayOverlap: boolean,
): readonly ColumnTile[] => {
  const cost = (width: number): number => 0.3 + (0.7 * width) / (2 * lanes)
  const options = vectors
    .map(v => v * lanes)
    .filter(width => columns === undefined || columns >= width)
    .flatMap(width => {
      if (columns === undefined) return [{ width, tail: 'peel' as const, cost: -width }]
      const rest = columns % width
      const peel =
        Math.floor(columns / width) * cost(width) + Math.floor(rest / lanes) * cost(lanes) + (rest % lanes) * 0.7
      const overlap = Math.ceil(columns / width) * cost(width)
      return [
        { width, tail: 'peel' as const, cost: peel },
        ...(mayOverlap && rest > 0 ? [{ width, tail: 'overlap' as const, cost: overlap }] : []),
      ]
    })
  return options.sort((a, b) => a.cost - b.cost).map(({ width, tail }) => ({ width, tail }))
}

const extentOf = (s: Schedule, axis: string): number | undefined => constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)
/** Whether neighbouring columns lie in one row of what is read, side by side or with a stride. */
const inLast = (a: Access, axis: string): boolean =>
  a.indices.every((i, d) => variablesOf(i).has(axis) === (d === a.indices.length - 1))
interface Tile {
  readonly row: string | undefined
  readonly height: number
  readonly width: number
  readonly tail: ColumnTile['tail']
  readonly lanes: number
  /** Whether a team shares the outer loops: then the two outermost become one, since a batch may be of one. */
  readonly team: boolean
  /** Whether the window is small enough to be written out. */
  readonly written: boolean
}

/** Terms of a result up to which the products of a tile are written out. */
const smallWindow = 25

/** Whether a result has few terms, and how many is known: a window over a picture. */
const hasSmallWindow = (s: Schedule, { reduce }: Stage): boolean =>
  reduce.reduce((n, axis) => n * (extentOf(s, axis) ?? Infinity), 1) <= smallWindow

/** The axis over lines of a picture: neighbouring lines of results share lines of what is read. */
const linesOf = ({ spatial, reduce }: Stage, loads: readonly Access[], column: string): string | undefined =>
  spatial
    .slice(0, -1)
    .filter(axis =>
      loads.some(
        a =>
          mentions(a, column) &&
          a.indices.some(i => variablesOf(i).has(axis) && reduce.some(k => variablesOf(i).has(k))),
      ),
    )
    .at(-1)

/**
 *     for … : for j_o:   acc[height × width] = 0      registers
 *                        for k…: acc[…] += …          written out, vectors along the columns
 *                        y[…] = epilogue(acc)
 *
 * A small window is written out too: its weights stay in registers for a whole picture, sums do not wait for one another, and
 * two lines of results share the lines that both read.
 */
const tiled = (s: Schedule, parts: Reduction, tile: Tile): Schedule => {
  const { update } = parts
  const column = update.spatial.at(-1) ?? ''
  let t = tile.row === undefined ? s : split(s, tile.row, tile.height)
  const inner = tile.row === undefined ? undefined : `${tile.row}_i`
  const outer = update.spatial.map(a => (a === tile.row ? `${a}_o` : a))
  if (inner !== undefined) t = reorder(t, ...outer, inner)
  const [first, second, third] = outer
  const joined = tile.team && first !== undefined && second !== undefined && third !== undefined ? second : undefined
  t = withoutGuards(t, joined ?? first ?? column)
  t = intoRegisters(t, parts, tile, inner, update.reduce)
  return joined === undefined || first === undefined ? t : tryEdit(t, u => fuse(u, first, joined))
}

/**
 * The same over blocks of lines, each of which passes all rows (the channels of a convolution) before the next:
 *
 *     for i_o: copy = the lines of the block, with borders filled and strides taken apart
 *       for c_o: for i_i: for j_o: as above, the weights of the rows of a tile side by side
 */
const tiledLines = (
  s: Schedule,
  parts: Reduction,
  tile: Tile,
  blocks: LineBlocks,
  constants: ReadonlySet<string>,
): Schedule => {
  const { update } = parts
  const row = tile.row ?? ''
  const { lines, by, reduce } = blocks
  let t = tilesPacked(s, update, { row, height: tile.height, reduce, constants })
  t = split(split(t, row, tile.height), lines, by)
  const others = update.spatial.slice(0, -1).filter(a => a !== row && a !== lines)
  const column = update.spatial.at(-1) ?? ''
  t = reorder(t, ...others, `${lines}_o`, `${row}_o`, `${lines}_i`, column, `${row}_i`)
  t = linesCopied(t, update, `${lines}_o`, column, borders)
  t = intoRegisters(t, parts, tile, `${row}_i`, reduce)
  // One loop over all blocks of all pictures: of either there may be few, and a team shares them.
  return others.reduceRight<readonly [Schedule, string]>(
    ([u, inner], axis) => [tryEdit(u, v => fuse(v, axis, inner)), `${axis}_${inner}`],
    [t, `${lines}_o`],
  )[0]
}

/** Fill, products and store of one tile at a time, in the loops that stand around it now. */
export const intoRegisters = (
  s: Schedule,
  { init, update, store }: Reduction,
  tile: Tile,
  row: string | undefined,
  reduce: readonly string[],
): Schedule => {
  const column = update.spatial.at(-1) ?? ''
  const at = row ?? column
  return columns(computeAt(computeAt(s, init.name, at), store.name, at), {
    column,
    row,
    reduce,
    init: init.spatial,
    store: store.spatial,
    accumulator: update.buffer,
    width: tile.width,
    tail: tile.tail,
    lanes: tile.lanes,
    written: tile.written,
  })
}

/** Copies what is read with a border of fills, so that the reduction itself tests nothing. */
const withoutGuards = (s: Schedule, axis: string): Schedule => {
  const guarded = guardedLoads(tryFindLoop(s.kernel, axis)?.loop.body ?? [])
  return [...guarded].reduce(
    (t, [buffer, fill]) =>
      tryEdit(t, u => {
        const name = `${buffer}_padded`
        return borders(stage(u, buffer, axis, { space: 'private', name, fill }), name)
      }),
    s,
  )
}

/** The copy of the inside as vectors, apart from its border. */
export const borders = (s: Schedule, name: string): Schedule => {
  const axes = (declOf(s.kernel, name)?.shape ?? []).map((_, d) => `${name}_${d}`)
  const cut = axes.reduce((t, axis) => tryEdit(t, u => partition(u, axis)), s)
  const last = axes.at(-1)
  return last === undefined ? cut : (firstOf(() => vectors(cut, last, ['exact', 'overlap', 'peel'])) ?? cut)
}

interface Names {
  readonly column: string
  readonly row: string | undefined
  readonly reduce: readonly string[]
  readonly init: readonly string[]
  readonly store: readonly string[]
  readonly accumulator: string
  readonly width: number
  readonly tail: ColumnTile['tail']
  readonly lanes: number
  readonly written: boolean
}

const columns = (s: Schedule, n: Names): Schedule => {
  const { width, lanes } = n
  let t = split(s, n.column, width, { tail: n.tail })
  const suffixed = (names: readonly string[]): string[] => names.map(a => `${a}_r`)
  const rest: Names = {
    column: `${n.column}_r`,
    row: n.row && `${n.row}_r`,
    reduce: suffixed(n.reduce),
    init: suffixed(n.init),
    store: suffixed(n.store),
    accumulator: `${n.accumulator}_r`,
    width: lanes,
    tail: 'peel',
    lanes,
    written: n.written,
  }
  const hasRest = tryFindLoop(t.kernel, rest.column) !== undefined
  const column = `${n.column}_i`
  if (n.row !== undefined) t = reorder(t, n.row, column)
  t = fission(t, column, [`${column}_fill`, column, `${column}_store`])
  if (n.row !== undefined) t = fission(t, n.row, [`${n.row}_fill`, n.row, `${n.row}_store`])
  t = reorder(t, ...n.reduce, ...(n.row === undefined ? [] : [n.row]), column)
  t = vectorBody(t, column, n.row, lanes)
  if (n.written) t = n.reduce.reduce((u, axis) => (tryFindLoop(u.kernel, axis) === undefined ? u : unroll(u, axis)), t)
  t = writtenOut(t, `${column}_fill`, n.row && `${n.row}_fill`, lanes, n.init)
  t = writtenOut(t, `${column}_store`, n.row && `${n.row}_store`, lanes, n.store)
  t = setSpace(t, n.accumulator, 'register')
  if (!hasRest) return t
  const left = extentOf(t, rest.column)
  const again = width > lanes && (left === undefined || left >= lanes) ? firstOf(() => columns(t, rest)) : undefined
  return again ?? tryEdit(t, u => setSpace(u, rest.accumulator, 'register'))
}

/** Vectors outermost, so that all products of one step stand in one body; the tile is written out inside. */
const vectorBody = (s: Schedule, column: string, row: string | undefined, lanes: number): Schedule => {
  let t = s
  const width = extentOf(t, column) ?? lanes
  if (width > lanes) t = split(t, column, lanes)
  const [lane, vectors] = width > lanes ? [`${column}_i`, `${column}_o`] : [column, undefined]
  if (row !== undefined || vectors !== undefined)
    t = reorder(t, lane, ...(row === undefined ? [] : [row]), ...(vectors === undefined ? [] : [vectors]))
  if (row !== undefined) {
    const body = tryFindLoop(t.kernel, row)?.loop.body ?? []
    const loads = accessesOf(body).filter(a => a.kind === 'read' && !mentions(a, lane))
    for (const buffer of new Set(loads.map(a => a.buffer))) t = tryEdit(t, u => hoist(u, buffer, row))
    t = unroll(t, row)
  }
  if (vectors !== undefined) t = unroll(t, vectors)
  return vectorize(t, lane)
}

/** A fill or a store of the tile: one vector after another, written out. */
const writtenOut = (
  s: Schedule,
  column: string,
  row: string | undefined,
  lanes: number,
  inner: readonly string[],
): Schedule => {
  let t = inner.reduce((u, axis) => (tryFindLoop(u.kernel, axis) === undefined ? u : unrollSmall(u, axis)), s)
  if (row !== undefined) t = unroll(t, row)
  if ((extentOf(t, column) ?? lanes) <= lanes) return vectorize(t, column)
  return vectorize(unroll(split(t, column, lanes), `${column}_o`), `${column}_i`)
}
