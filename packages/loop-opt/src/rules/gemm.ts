/** @file The schedule of a contraction on a CPU: register tiles of MR × NR over panels of a packed right-hand side. */
import { QuernError } from '@quern/artifact'
import { type Index, type Stmt, ix } from '@quern/core-ir'
import type { LoweredRegion, Stage } from '../lower/lowered-region.ts'
import { type Access, accessesOf } from '../schedule/access.ts'
import { declOf, findLoop, tryFindLoop } from '../schedule/locate.ts'
import { computeAt } from '../schedule/primitives/compute-at.ts'
import { fission } from '../schedule/primitives/fission.ts'
import { hoist } from '../schedule/primitives/hoist.ts'
import { type PhysicalDim, layout } from '../schedule/primitives/layout.ts'
import { parallel } from '../schedule/primitives/parallel.ts'
import { reorder } from '../schedule/primitives/reorder.ts'
import { setSpace } from '../schedule/primitives/set-space.ts'
import { split } from '../schedule/primitives/split.ts'
import { stage } from '../schedule/primitives/stage.ts'
import { tensorize } from '../schedule/primitives/tensorize.ts'
import { unroll } from '../schedule/primitives/unroll.ts'
import { vectorize } from '../schedule/primitives/vectorize.ts'
import { type Schedule, type ScheduleOptions, scheduleOf } from '../schedule/schedule.ts'
import { type For, variablesOf, visitStmts } from '../schedule/tree.ts'

export interface GemmTile {
  /** Rows and columns of the register tile; NR is a multiple of the lanes. */
  readonly mr: number
  readonly nr: number
  /** Depth of a K block; absent: the whole K, and accumulators never leave the registers. */
  readonly kb?: number
  /**
   * Where panels [N / NR, K, NR] of the right-hand side come from: `layout` repacks the param (a constant, at build),
   * `panel` copies one panel (or group of them) at a time into private memory, `none` reads rows where they lie, or lie packed.
   */
  readonly pack: 'layout' | 'panel' | 'none'
  /**
   * Columns that `layout` packs side by side, a part of NR; absent: NR. One row reads each weight once: several narrow panels at a
   * time are several streams from memory, which together are faster than one.
   */
  readonly stream?: number
  /**
   * So many panels (less where they are packed together and it does not divide their number) pass one block of rows before the
   * next one; absent: one panel, all rows.
   */
  readonly group?: number
  /** Tiles of a block of rows, where panels come in groups; absent: all. */
  readonly block?: number
  readonly lanes?: number
  /** Multiply and add in one intrinsic. */
  readonly madd?: boolean
  readonly parallel?: boolean
}

/** The parts of a contraction that the schedule names. */
export interface Contraction {
  readonly init: Stage
  readonly update: Stage
  readonly store: Stage
  /** Buffer read along the columns and the depth. */
  readonly rhs: string
  /** Buffers read along the rows, not the columns; the right-hand side may be among them. */
  readonly lhs: readonly string[]
  readonly rows: string | undefined
  readonly columns: string
  readonly depth: string
  readonly accumulator: string
}

/** Finds the contraction of a lowered region, or says that it has none of the form that {@link gemm} schedules. */
export const contractionOf = (region: LoweredRegion): Contraction | undefined => {
  const update = region.stages.find(s => s.role === 'update')
  return contractionIn(
    region,
    update,
    region.stages.find(s => s.role === 'store'),
  )
}

/** The same of one of several accumulations, and of what stores it. */
export const contractionIn = (
  region: LoweredRegion,
  update: Stage | undefined,
  store: Stage | undefined,
): Contraction | undefined => {
  const init = region.stages.find(s => s.role === 'init' && s.buffer === update?.buffer)
  const columns = update?.spatial.at(-1),
    [depth, ...moreDepth] = update?.reduce ?? []
  if (
    update === undefined ||
    init === undefined ||
    store === undefined ||
    columns === undefined ||
    depth === undefined ||
    moreDepth.length > 0
  )
    return undefined
  const place = tryFindLoop(region.kernel, update.spatial[0] ?? columns)
  if (place === undefined) return undefined
  const reads = accessesOf([place.loop]).filter(a => a.kind === 'read')
  const isAlong = (a: Access, axis: string): boolean => a.indices.some(i => variablesOf(i).has(axis))
  const right = reads.filter(a => isAlong(a, columns) && isAlong(a, depth))
  const [only, ...others] = new Set(right.map(a => a.buffer))
  if (only === undefined || others.length > 0) return undefined
  const lhs = [...new Set(reads.filter(a => !right.includes(a) && !isAlong(a, columns)).map(a => a.buffer))]
  // Rows are an axis along which the right-hand side stays: the one that stands innermost.
  const batch = update.spatial.filter(axis => axis !== columns && right.some(a => isAlong(a, axis)))
  const rows = update.spatial.filter(axis => axis !== columns && !batch.includes(axis)).at(-1)
  return { init, update, store, rhs: only, lhs, rows, columns, depth, accumulator: update.buffer }
}

/**
 * The schedule as a list of primitives. From three nests (fill, accumulate, store) over i, j, k it makes
 *
 *     for j_o < ceil(N / NR):                     a panel of NR columns
 *       for i_o < M / MR:                         and again with less rows for the rest of M
 *         acc: MR × NR registers = 0
 *         for k < K:
 *           row = panel[k, 0 .. NR]               NR / 4 vectors, once
 *           for vector j_l < 4: for i_i < MR:     written out
 *             let a = A[i, k]                     a splat
 *             for j_v < NR / 4: acc[i_i, j_v] += a * row[j_v]
 *         y[…] = epilogue(acc)
 *
 * Groups of panels and blocks of rows put two loops around, so that a block of the left-hand side stays near:
 *
 *     for j_o_o < panels / group:               these panels are packed together
 *       for i_o_o < tiles / block:
 *         for j_o_i < group: for i_o_i < block: as above
 */
export const gemm = (region: LoweredRegion, tile: GemmTile, options: ScheduleOptions = {}): Schedule => {
  const c = contractionOf(region)
  if (c === undefined)
    throw new QuernError(
      'schedule/gemm-not-a-contraction',
      `${region.kernel.name} is no contraction over one axis with a right-hand side read along rows and depth`,
      { kernel: region.kernel.name },
    )
  const lanes = tile.lanes ?? 4
  if (tile.nr % lanes !== 0)
    throw new QuernError('schedule/gemm-tile', `NR is a multiple of the ${lanes} lanes, and ${tile.nr} is not`, {
      nr: tile.nr,
      lanes,
    })
  const s = tiled(scheduleOf(region, options), c, tile)
  return tile.parallel === true ? parallel(s, outermost(s)) : s
}

/** The same of a contraction whose three nests stand side by side in some loop. */
export const tiled = (start: Schedule, c: Contraction, tile: GemmTile): Schedule => {
  const lanes = tile.lanes ?? 4
  let s = start
  if (tile.pack === 'layout') s = layout(s, c.rhs, panels(dimsOfRhs(s, c), tile.stream ?? tile.nr, tile.nr))
  s = split(s, c.columns, tile.nr, { tail: 'pad' })
  const column = `${c.columns}_i`
  let panel = `${c.columns}_o`,
    around: readonly string[] = []
  const together = tile.pack === 'panel' ? divisorOf(s, panel, tile.group) : 1
  if (together > 1) {
    s = split(s, panel, together)
    around = [`${panel}_o`]
    panel = `${panel}_i`
  }
  const rows = c.rows === undefined ? [] : [c.rows]
  const others = c.update.spatial.filter(axis => axis !== c.rows && axis !== c.columns)
  s = reorder(s, ...others, ...around, panel, ...rows, c.depth, column)
  if (tile.pack === 'panel') s = packPanels(s, c, { nr: tile.nr, together, axis: around[0] ?? panel, lanes })
  const blocked = tile.kb !== undefined && !shallow(s, c.depth, tile.kb)
  const packed = tile.pack === 'panel' ? `${c.rhs}_panel` : c.rhs
  const context: Context = { ...c, tile, lanes, packed }
  const at = blocked ? panel : (c.rows ?? panel)
  s = computeAt(s, c.init.name, at)
  s = computeAt(s, c.store.name, at)
  s = blocked ? depthBlocks(s, context, column) : wholeDepth(s, context, column)
  // A panel that is packed alone passes all rows at once.
  if (!blocked && c.rows !== undefined && !(tile.pack === 'panel' && together === 1))
    s = rowBlocks(s, panel, c.rows, tile)
  return s
}

interface Context extends Contraction {
  readonly tile: GemmTile
  readonly lanes: number
  /** The buffer that rows of the right-hand side come from. */
  readonly packed: string
}

const shallow = (s: Schedule, depth: string, kb: number): boolean => {
  const { extent } = findLoop(s.kernel, depth, 'gemm').loop
  return ix.isConst(extent) && extent.value <= kb
}

const outermost = (s: Schedule): string => s.kernel.body.find((x): x is For => x.kind === 'for')?.axis ?? ''

interface RhsDims {
  readonly batch: readonly number[]
  readonly depth: number
  readonly column: number
}
const dimsOfRhs = (s: Schedule, c: Contraction): RhsDims => {
  const at = (a: Access, axis: string): number =>
    a.indices.findIndex(i => [axis, `${axis}_o`, `${axis}_i`, `${axis}_o_o`].some(n => variablesOf(i).has(n)))
  // Of the buffer's accesses, where it is the left-hand side too.
  const use = accessesOf(s.kernel.body).find(a => a.buffer === c.rhs && at(a, c.columns) >= 0)
  const along = (axis: string): number => (use === undefined ? -1 : at(use, axis))
  const depth = along(c.depth),
    column = along(c.columns)
  return { depth, column, batch: (use?.indices ?? []).map((_, d) => d).filter(d => d !== depth && d !== column) }
}
/** Physical dims: batch dims, blocks of columns, depth, columns of a block. */
export const panels = ({ batch, depth, column }: RhsDims, by: number, together = by): PhysicalDim[] => [
  ...batch.map(dim => ({ dim })),
  { dim: column, part: 'block', by, ...(together > by && { groups: together / by }) },
  { dim: depth },
  { dim: column, part: 'inside', by },
]

/**
 * Copies the panels that one iteration of an axis needs into private memory; in vectors where rows of the right-hand side lie
 * in memory and no vector reaches over their end.
 */
const packPanels = (
  s: Schedule,
  c: Contraction,
  { nr, together, axis, lanes }: { nr: number; together: number; axis: string; lanes: number },
): Schedule => {
  const name = `${c.rhs}_panel`
  const { batch, depth, column } = dimsOfRhs(s, c)
  const order = [...batch, depth, column]
  const inPlace = order.every((d, i) => d === i) && columnsOf(s, c) % lanes === 0
  let t = stage(s, c.rhs, axis, {
    space: 'private',
    name,
    fill: 0,
    permute: order,
    ...alongColumns(c, c.rhs, `${c.columns}_i`),
  })
  const last = order.length - 1
  const copied = `${name}_${last}`
  if (inPlace) t = unroll(vectorize(split(t, copied, lanes), `${copied}_i`), `${copied}_o`)
  return together === 1
    ? t
    : layout(t, name, panels({ batch: batch.map((_, d) => d), depth: last - 1, column: last }, nr))
}

/** Of a buffer that is the left-hand side too, what columns read is meant. */
const alongColumns = (c: Contraction, buffer: string, column: string): { readonly along?: string } =>
  c.lhs.includes(buffer) ? { along: column } : {}

/** The number of columns, or NaN where it is not constant. */
const columnsOf = (s: Schedule, c: Contraction): number => {
  const column = dimsOfRhs(s, c).column
  const extent = declOf(s.kernel, c.rhs)?.shape[column]
  return extent !== undefined && ix.isConst(extent) ? extent.value : NaN
}

/** Accumulators live in registers from the first k to the last: the fill and the store stand beside the k loop. */
const wholeDepth = (s: Schedule, c: Context, column: string): Schedule => {
  const init = c.init.spatial,
    store = c.store.spatial
  if (c.rows === undefined)
    return kernelTile(s, c, { rows: undefined, depth: c.depth, column, init, store, suffix: '' })
  let t = split(s, c.rows, c.tile.mr, { tail: 'peel' })
  for (const part of rowParts(t, c.rows)) {
    const suffixed = (names: readonly string[]): string[] => names.map(n => `${n}${part.suffix}`)
    const names = {
      depth: `${c.depth}${part.suffix}`,
      column: `${column}${part.suffix}`,
      init: suffixed(init),
      store: suffixed(store),
    }
    if (part.rows === undefined) {
      t = kernelTile(t, c, { ...names, rows: undefined, suffix: part.suffix })
      continue
    }
    const own = [`${part.rows}_fill`, part.rows, `${part.rows}_store`]
    t = fission(t, part.rows, own)
    t = kernelTile(t, c, {
      ...names,
      rows: part.rows,
      init: [own[0] ?? '', ...names.init],
      store: [own[2] ?? '', ...names.store],
      suffix: part.suffix,
    })
  }
  return t
}

/** The tiled rows and the rest of M: written out where its extent is constant, else row by row. */
const rowParts = (s: Schedule, rows: string): { rows: string | undefined; suffix: string }[] => {
  const rest = tryFindLoop(s.kernel, `${rows}_r`)?.loop
  const main = tryFindLoop(s.kernel, `${rows}_i`) === undefined ? [] : [{ rows: `${rows}_i`, suffix: '' }]
  return rest === undefined
    ? main
    : [...main, { rows: ix.isConst(rest.extent) && rest.extent.value > 1 ? rest.axis : undefined, suffix: '_r' }]
}

/** All panels of a group pass one block of rows before the next; the rest of M passes them after all blocks. */
const rowBlocks = (s: Schedule, panel: string, rows: string, { group, block, pack }: GemmTile): Schedule => {
  const tiles = `${rows}_o`
  const extent = tryFindLoop(s.kernel, tiles)?.loop.extent
  if (group === undefined || block === undefined || extent === undefined) return s
  if (isAtMost(extent, block)) return s
  let t = s,
    inner = panel
  // One group of all panels needs no loop around: blocks of rows are outermost then, and a team shares them.
  if (pack !== 'panel' && !isAtMost(findLoop(s.kernel, panel, 'gemm').loop.extent, group)) {
    t = split(t, panel, group, { tail: 'short' })
    inner = `${panel}_i`
  }
  if (tryFindLoop(t.kernel, `${rows}_r`) !== undefined) t = fission(t, inner, [inner, `${inner}_r`], 2)
  return reorder(split(t, tiles, block, { tail: 'short' }), `${tiles}_o`, inner)
}

const isAtMost = (extent: Index, most: number): boolean => ix.isConst(extent) && extent.value <= most

/** The largest number up to `most` that divides the extent of an axis. */
const divisorOf = (s: Schedule, axis: string, most = 1): number => {
  const { extent } = findLoop(s.kernel, axis, 'gemm').loop
  for (let by = most; by > 1; by--) if (ix.isConst(extent) && extent.value % by === 0) return by
  return 1
}

/** K blocks: accumulators of a panel stay in private memory between blocks, and in registers inside one. */
const depthBlocks = (s: Schedule, c: Context, column: string): Schedule => {
  let t = split(s, c.depth, c.tile.kb ?? 1, { tail: 'peel', rest: 'tail' })
  t = vectorNest(vectorNest(t, c, c.init.spatial), c, c.store.spatial)
  const hasTail = tryFindLoop(t.kernel, `${c.depth}_tail`) !== undefined
  if (hasTail && c.rows !== undefined) t = fission(t, c.rows, [c.rows, `${c.rows}_tail`])
  const blocks = [{ outer: `${c.depth}_o`, depth: `${c.depth}_i`, rows: c.rows, column }]
  if (hasTail)
    blocks.push({ outer: '', depth: `${c.depth}_tail`, rows: c.rows && `${c.rows}_tail`, column: `${column}_tail` })
  for (const b of blocks) {
    if (b.rows === undefined) {
      t = accumulatorTile(t, c, { ...b, rows: undefined })
      continue
    }
    if (b.outer !== '') t = reorder(t, b.outer, b.rows)
    t = split(t, b.rows, c.tile.mr, { tail: 'peel' })
    for (const part of rowParts(t, b.rows))
      t = accumulatorTile(t, c, {
        rows: part.rows,
        depth: `${b.depth}${part.suffix}`,
        column: `${b.column}${part.suffix}`,
      })
  }
  return t
}

interface Tile {
  /** The axis over the rows of the tile, to be written out; undefined for one row. */
  readonly rows: string | undefined
  readonly depth: string
  readonly column: string
}

/** Copies the accumulators of one tile into registers, and back. */
const accumulatorTile = (s: Schedule, c: Context, tile: Tile): Schedule => {
  const name = freshBuffer(s, `${c.accumulator}_t`)
  let t = tile.rows === undefined ? s : reorder(s, tile.depth, tile.rows)
  t = stage(t, c.accumulator, tile.depth, { space: 'register', name, around: true, update: true })
  const rank = declOf(t.kernel, name)?.shape.length ?? 0
  t = vectorNest(
    t,
    c,
    Array.from({ length: rank }, (_, d) => `${name}_${d}`),
  )
  t = vectorNest(
    t,
    c,
    Array.from({ length: rank }, (_, d) => `${name}_out${d}`),
  )
  return innerTile(t, c, tile)
}

/** The tile whose fill and store stand beside its k loop. */
const kernelTile = (
  s: Schedule,
  c: Context,
  tile: Tile & { init: readonly string[]; store: readonly string[]; suffix: string },
): Schedule => {
  let t = vectorNest(vectorNest(s, c, tile.init), c, tile.store)
  if (tile.rows !== undefined) t = reorder(t, tile.depth, tile.rows)
  return setSpace(innerTile(t, c, tile), `${c.accumulator}${tile.suffix}`, 'register')
}

/** One k: a row of the right-hand side into registers, where several rows use it, then all products. */
const innerTile = (s: Schedule, c: Context, tile: Tile): Schedule => {
  const name = freshBuffer(s, `${c.rhs}_row`)
  let t =
    tile.rows === undefined
      ? s
      : stage(s, c.packed, tile.depth, { space: 'register', name, ...alongColumns(c, c.packed, tile.column) })
  const [vectors, lane] = [`${tile.column}_o`, `${tile.column}_i`]
  t = split(t, tile.column, c.lanes)
  t = reorder(t, lane, ...(tile.rows === undefined ? [] : [tile.rows]), vectors)
  const body = findLoop(t.kernel, tile.rows ?? lane, 'gemm').loop
  for (const buffer of c.lhs) if (accessesOf(body.body).some(a => a.buffer === buffer)) t = hoist(t, buffer, body.axis)
  if (c.tile.madd === true && isProduct(t, body.axis)) t = tensorize(t, body.axis, 'madd')
  t = unroll(t, vectors)
  if (tile.rows !== undefined) t = unroll(t, tile.rows)
  t = vectorize(t, lane)
  const rank = declOf(t.kernel, name)?.shape.length ?? 0
  return vectorNest(
    t,
    c,
    Array.from({ length: rank }, (_, d) => `${name}_${d}`),
  )
}

/** Vectors along the last axis of a small nest, the rest written out. */
const vectorNest = (s: Schedule, c: Context, axes: readonly string[]): Schedule => {
  const last = axes.at(-1)
  if (last === undefined) return s
  let t = vectorize(split(s, last, c.lanes), `${last}_i`)
  for (const axis of [...axes.slice(0, -1), `${last}_o`]) {
    const extent = tryFindLoop(t.kernel, axis)?.loop.extent
    if (extent !== undefined && ix.isConst(extent) && extent.value <= 16) t = unroll(t, axis)
  }
  return t
}

/** Whether everything that is accumulated in a loop is a product of f32. */
const isProduct = (s: Schedule, axis: string): boolean => {
  let product = true
  visitStmts(findLoop(s.kernel, axis, 'gemm').loop.body, x => {
    if (x.kind === 'accumulate')
      product &&= x.reducer === 'sum' && x.value.dtype === 'f32' && x.value.kind === 'binary' && x.value.op === 'mul'
  })
  return product
}

const freshBuffer = (s: Schedule, hint: string): string => {
  const names = new Set<string>()
  visitStmts(s.kernel.body, (x: Stmt) => {
    if (x.kind === 'alloc') names.add(x.buffer.name)
  })
  for (let name = hint, i = 1; ; name = `${hint}${i++}`) if (!names.has(name)) return name
}
