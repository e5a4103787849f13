/** @file Contractions on a CPU: which register tile, which depth of blocks, and where panels come from. */
import { bytesOf } from '@quern/artifact'
import { roundOf } from '../../cost/cycles.ts'
import { accessesOf } from '../../schedule/access.ts'
import { declOf, findLoop, tryFindLoop } from '../../schedule/locate.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import type { Core, TargetInfo } from '../../target/target-info.ts'
import { type Contraction, type GemmTile, contractionOf, gemm } from '../gemm.ts'
import { chunkOf, gemv } from '../gemv.ts'
import { type RuleContext, type ScheduleRule, constantOf, start, typicalExtent } from '../rule.ts'
import { stepsAlong } from '../structure.ts'
import { inParallel } from './map.ts'

export const contractionRule: ScheduleRule = context => {
  const c = contractionOf(context.region)
  const { core } = context.target
  if (c === undefined || core === undefined) return undefined
  const s = start(context)
  const columns = extentOf(s, c.columns),
    rows = c.rows === undefined ? 1 : extentOf(s, c.rows)
  // Few columns: vectors along the depth are better.
  if (columns !== undefined && columns < context.target.lanes) return undefined
  const pack = packingOf(context, s, c)
  if (pack === undefined) return undefined
  const dtype = declOf(s.kernel, c.accumulator)?.dtype ?? 'f32'
  const lanes = bytesOf[dtype] === 8 ? context.target.lanes / 2 : context.target.lanes
  const madd = context.target.features.relaxedSimd && dtype === 'f32' && context.permits !== 'exact'
  // A right-hand side that is too wide to be read down its columns streams past instead.
  if (pack === 'none' && rows !== undefined && rows <= 3 && columns !== undefined && columns >= wideColumns) {
    const chunk = chunkOf(s, c.columns, lanes, 1024)
    if (chunk !== undefined)
      return inParallel(gemv(context.region, c, { chunk, depth: 8, lanes }, { permits: context.permits }), context)
  }
  const typical = (axis: string | undefined): number =>
    axis === undefined ? 1 : typicalExtent(s.kernel, findLoop(s.kernel, axis, 'gemm').loop.extent)
  const question: TileQuestion = {
    rows,
    columns,
    typicalRows: typical(c.rows),
    typicalColumns: typical(c.columns),
    lanes,
    registers: context.target.registers,
    core,
    madd: false,
    // Packing at run time goes by whole cache lines.
    wide: pack !== 'layout',
  }
  // Variants share one packing of the weights: with fused products only their rows may be others.
  const width = pack === 'layout' ? bestTile(question).nr : undefined
  const { mr, nr } = bestTile({ ...question, madd, ...(width !== undefined && { nr: width }) })
  const depth = extentOf(s, c.depth)
  const kb = depthBlock(context.target, depth, nr, bytesOf[dtype], rows, mr)
  const tile: GemmTile = {
    mr,
    nr,
    pack,
    lanes,
    madd,
    ...(pack === 'layout' && rows === 1 && nr > streamColumns && nr % streamColumns === 0 && { stream: streamColumns }),
    ...(kb === undefined ? blocksOf(context, depth ?? 1, columns ?? typical(c.columns), { mr, nr }) : { kb }),
  }
  return inParallel(gemm(context.region, tile, { permits: context.permits }), context)
}

/** Columns of one stream of weights, where one row reads them: 8 were measured to be best, 4 nearly as good, 16 and 32 slower. */
const streamColumns = 8

/** From here on, neighbouring rows of the right-hand side are pages apart. */
const wideColumns = 256

const extentOf = (s: Schedule, axis: string): number | undefined => constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)

/** Constants are packed at build. What comes at run time is packed panel by panel where enough rows use it. */
const packingOf = (context: RuleContext, s: Schedule, c: Contraction): GemmTile['pack'] | undefined => {
  const param = s.kernel.params.find(p => p.name === c.rhs)
  const uses = accessesOf(s.kernel.body).filter(a => a.buffer === c.rhs)
  if (param !== undefined && context.constants.has(c.rhs) && param.strides === undefined && param.offset === undefined)
    return 'layout'
  const rows = c.rows === undefined ? 1 : extentOf(s, c.rows)
  const columns = extentOf(s, c.columns)
  const contiguous = uses.every(a => stepsAlong(a.indices, c.columns))
  // Where rows lie in memory they can be read there, if no vector reaches over their end; many rows make packing cheap.
  const readable = contiguous && columns !== undefined && columns % context.target.lanes === 0
  if (readable && (rows === undefined || rows < 32)) return 'none'
  return rows === undefined || rows >= 4 ? 'panel' : undefined
}

export interface TileQuestion {
  readonly rows: number | undefined
  readonly columns: number | undefined
  readonly typicalRows: number
  readonly typicalColumns: number
  readonly lanes: number
  readonly registers: number
  readonly core: Core
  readonly madd: boolean
  /** Which of two tiles of equal cost: the one with more columns. */
  readonly wide: boolean
  /** The one number of columns that is allowed. */
  readonly nr?: number
}

/**
 * The tile with the least estimated cycles. Accumulators, a row of the right-hand side, a splat and, without a fused
 * multiply-add, a product must fit the registers. One k costs what its products, its loads or, with few accumulators, the
 * latency of one addition cost.
 */
export const bestTile = (q: TileQuestion): { mr: number; nr: number } => {
  let best = { mr: 1, nr: q.lanes, cost: Infinity }
  for (let vectors = 1; vectors <= 8; vectors++)
    for (let mr = 1; mr <= 6; mr++) {
      const nr = vectors * q.lanes
      if (q.nr !== undefined && nr !== q.nr) continue
      if (
        registersOf(mr, vectors, q.madd) > q.registers ||
        mr * vectors > q.core.accumulators[q.madd ? 'madd' : 'plain']
      )
        continue
      if (
        (q.rows !== undefined && mr > q.rows) ||
        (q.columns !== undefined && vectors > 1 && nr - q.lanes >= q.columns)
      )
        continue
      const panels = Math.ceil((q.columns ?? q.typicalColumns) / nr)
      const rows = q.rows ?? q.typicalRows
      // The rest of unknown M runs row by row; a quarter of a tile's rows are lost to it on average, and it may be all there is.
      const rest = q.rows === undefined ? (mr - 1) / 2 : rows % mr
      const tail =
        rest === 0 ? 0 : q.rows === undefined ? rest * cycles(q.core, 1, vectors) : cycles(q.core, rest, vectors)
      const cost = panels * (Math.floor(rows / mr) * cycles(q.core, mr, vectors) + tail)
      if (cost < best.cost || (q.wide && cost === best.cost)) best = { mr, nr, cost }
    }
  return { mr: best.mr, nr: best.nr }
}
/** One row reads the right-hand side where it multiplies; more keep a row of it. */
const registersOf = (mr: number, vectors: number, madd: boolean): number =>
  mr * vectors + (mr === 1 ? 0 : vectors) + (madd ? 1 : 2)
/** One k of a tile: each product is a multiplication and an addition, and every sum waits for its last one. */
export const cycles = (core: Core, mr: number, vectors: number): number =>
  roundOf({ arithmetic: 2 * mr * vectors, loads: mr + vectors, stores: 0, chain: 1 }, core)

/** Columns of a group of panels, and rows of a block: what was measured to be best on several shapes, within a few per cent. */
const groupColumns = 64
const blockRows = 64

/** Groups of panels and blocks of rows, which keep the left-hand side in the second level cache; a team needs enough groups. */
const blocksOf = (
  { target }: RuleContext,
  depth: number,
  columns: number,
  { mr, nr }: { readonly mr: number; readonly nr: number },
): Pick<GemmTile, 'group' | 'block'> => {
  const { parallelism } = target
  const threads = parallelism.kind === 'team' ? parallelism.threads : 1
  const forTeam = threads === 1 ? Infinity : Math.floor(columns / nr / (2 * threads))
  const near = Math.floor(target.cacheBytes[1] / 8 / (depth * 4))
  return {
    group: Math.max(1, Math.min(Math.floor(groupColumns / nr), forTeam)),
    block: Math.max(1, Math.floor(Math.min(blockRows, near) / mr)),
  }
}

/** K blocks keep a panel in a quarter of the second level cache: from there it streams as fast as products use it. */
const depthBlock = (
  target: TargetInfo,
  depth: number | undefined,
  nr: number,
  bytes: number,
  rows: number | undefined,
  mr: number,
): number | undefined => {
  const fits = 2 ** Math.floor(Math.log2(target.cacheBytes[1] / 4 / (nr * bytes)))
  return depth === undefined || depth <= fits || (rows !== undefined && rows <= 2 * mr) ? undefined : fits
}
