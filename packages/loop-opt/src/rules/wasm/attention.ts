/**
 * @file Attention on a CPU: a block of rows is computed from the first product to the last, so that only its scores are kept. Both
 * right-hand sides are packed once for all rows that meet them; the products are register tiles, as those of any contraction.
 */
import type { Index } from '@quern/core-ir'
import type { Stage } from '../../lower/lowered-region.ts'
import { accessesOf } from '../../schedule/access.ts'
import { findLoop, tryFindLoop } from '../../schedule/locate.ts'
import { computeAt } from '../../schedule/primitives/compute-at.ts'
import { fission } from '../../schedule/primitives/fission.ts'
import { layout } from '../../schedule/primitives/layout.ts'
import { reorder } from '../../schedule/primitives/reorder.ts'
import { setSpace } from '../../schedule/primitives/set-space.ts'
import { split } from '../../schedule/primitives/split.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import { variablesOf } from '../../schedule/tree.ts'
import { type Contraction, contractionIn, panels, tiled } from '../gemm.ts'
import { type RuleContext, type ScheduleRule, constantOf, firstOf, start, tryEdit, typicalLength } from '../rule.ts'
import { rootOf, updatesOf } from '../structure.ts'
import { type TileQuestion, bestTile } from './contraction.ts'
import { inParallel } from './map.ts'
import { mostOf, partialSums } from './rows.ts'
import { vectors } from './vector.ts'

export const attentionRule: ScheduleRule = context =>
  context.kind !== 'attention'
    ? undefined
    : inParallel(
        firstOf(
          () => inBlocks(context),
          () => rowByRow(context),
        ) ?? start(context),
        context,
      )

interface Attention {
  readonly scores: Contraction
  readonly values: Contraction
  /** What is done to rows of scores, in order. */
  readonly between: readonly Stage[]
  readonly root: Stage
  /** The axes of the last nest: rows, columns, and what stands around them. */
  readonly outer: readonly string[]
  readonly row: string
  readonly column: string
}

const attentionOf = ({ region }: RuleContext): Attention | undefined => {
  const { stages, kernel } = region
  const updates = updatesOf(stages)
  const [first, last] = [updates[0], updates.at(-1)]
  const root = rootOf(stages)
  const kept = first && stages[stages.indexOf(first) + 1]
  if (first === undefined || last === undefined || root === undefined || kept?.role !== 'store') return undefined
  const scores = contractionIn(region, first, kept),
    values = contractionIn(region, last, root)
  if (scores?.rows === undefined || values?.rows === undefined || scores === values) return undefined
  const nest = tryFindLoop(kernel, root.spatial[0] ?? '')
  const [use] = nest === undefined ? [] : accessesOf([nest.loop]).filter(a => a.buffer === values.accumulator)
  const axisAt = (axis: string): string | undefined => {
    const index = use?.indices[last.spatial.indexOf(axis)]
    return index?.kind === 'var' ? index.name : undefined
  }
  const row = axisAt(values.rows),
    column = axisAt(values.columns)
  if (row === undefined || column === undefined) return undefined
  const between = stages.slice(stages.indexOf(kept) + 1, stages.indexOf(values.init))
  const outer = root.spatial.filter(a => a !== row && a !== column)
  return { scores, values, between, root, outer, row, column }
}

/** Everything that a row needs is computed where its results are stored. */
const gathered = (context: RuleContext, { root, outer, row, column }: Attention): Schedule => {
  const s = reorder(start(context), ...outer, row, column)
  return s.stages.reduceRight((t, x) => (x.buffer === root.buffer ? t : computeAt(t, x.name, row)), s)
}

/** Rows whose panels are packed together, where no other axis says how long they last. */
const chunkRows = 64

const inBlocks = (context: RuleContext): Schedule | undefined => {
  const a = attentionOf(context)
  if (a === undefined || context.target.core === undefined) return undefined
  let s = gathered(context, a)
  let { row, outer } = a
  if (outer.length === 0) {
    s = split(s, row, chunkRows, { tail: 'short' })
    outer = [`${row}_o`]
    row = `${row}_i`
  }
  const rows = constantOf(findLoop(s.kernel, row, 'attention').loop.extent)
  const most = blockRows(context, s, a, rows)
  const scores = tileOf(context, s, a.scores, most),
    values = tileOf(context, s, a.values, most)
  s = pack(s, a.scores, outer, scores.nr, scores.lanes)
  s = pack(s, a.values, outer, values.nr, values.lanes)
  const again = (c: Contraction): Contraction =>
    contractionIn({ kernel: s.kernel, stages: s.stages }, c.update, c.store) ?? c
  const parts: Parts = {
    ...a,
    context,
    scores: { ...again(a.scores), store: a.scores.store },
    values: { ...again(a.values), store: { ...a.root, spatial: [a.column] } },
    tiles: { scores, values },
  }
  return blocks(s, parts, row, '', rows === undefined ? [most, leastRows] : [most])
}

interface Tile {
  readonly mr: number
  readonly nr: number
  readonly lanes: number
  readonly madd: boolean
}

interface Parts extends Attention {
  readonly context: RuleContext
  readonly tiles: { readonly scores: Tile; readonly values: Tile }
}

/** Rows of a block where their number is not known: what is left over is computed in such blocks first, then row by row. */
const leastRows = 4
const mostRows = 32
/** A block is kept as scores, and as what the second product reads. */
const copies = 2

/** Rows of a block: as many as the first level cache holds, of those numbers that leave the least over. */
const blockRows = ({ target }: RuleContext, s: Schedule, { scores }: Attention, rows: number | undefined): number => {
  const columns = mostOf(s, findLoop(s.kernel, scores.columns, 'attention').loop)
  const held = Math.floor(target.cacheBytes[0] / (copies * 4 * columns))
  const most = Math.max(2 * leastRows, Math.min(mostRows, held - (held % leastRows)))
  if (rows === undefined) return most
  if (rows <= most) return rows
  for (let by = most; by > most / 2; by -= leastRows) if (rows % by === 0) return by
  return most
}

const tileOf = ({ target, permits }: RuleContext, s: Schedule, c: Contraction, rows: number, nr?: number): Tile => {
  const { lanes, core } = target
  if (core === undefined) throw new Error('tiles are for processors whose costs are known')
  const columns = constantOf(findLoop(s.kernel, c.columns, 'attention').loop.extent)
  const question: TileQuestion = {
    rows,
    columns,
    typicalRows: rows,
    typicalColumns: typicalLength(s, c.columns),
    lanes,
    registers: target.registers,
    core,
    madd: target.features.relaxedSimd && permits !== 'exact',
    wide: true,
    ...(nr !== undefined && { nr }),
  }
  return { ...bestTile(question), lanes, madd: question.madd }
}

/** Copies a right-hand side into panels, where the innermost axis begins that it depends on. */
const pack = (s: Schedule, c: Contraction, outer: readonly string[], nr: number, lanes: number): Schedule => {
  const mentions = (i: Index, axis: string): boolean => variablesOf(i).has(axis)
  const use = accessesOf(s.kernel.body).find(
    x => x.buffer === c.rhs && [c.columns, c.depth].every(axis => x.indices.some(i => mentions(i, axis))),
  )
  if (use === undefined) throw new Error(`${c.rhs} is no right-hand side`)
  const at = outer.filter(axis => use.indices.some(i => mentions(i, axis))).at(-1) ?? outer[0] ?? ''
  const depth = use.indices.findIndex(i => mentions(i, c.depth)),
    column = use.indices.findIndex(i => mentions(i, c.columns))
  const batch = use.indices.map((_, d) => d).filter(d => d !== depth && d !== column)
  const order = [...batch, depth, column]
  const last = order.length - 1
  const name = `${c.accumulator}_panels`
  let t = stage(s, c.rhs, at, {
    space: 'private',
    name,
    fill: 0,
    permute: order,
    along: c.columns,
    multiples: use.indices.map((_, d) => (d === column ? nr : 1)),
  })
  // Neighbours are read along the columns, or else written along them.
  const [down, across] = [`${name}_${last - 1}`, `${name}_${last}`]
  t = split(t, across, nr)
  t = reorder(t, `${across}_o`, down, `${across}_i`)
  t =
    nr === lanes
      ? vectorize(t, `${across}_i`)
      : unroll(vectorize(split(t, `${across}_i`, lanes), `${across}_i_i`), `${across}_i_o`)
  return layout(t, name, panels({ batch: batch.map((_, d) => d), depth: last - 1, column: last }, nr))
}

/** Blocks of so many rows, then of fewer, then what is left: row by row, or in one block where its number is known. */
const blocks = (s: Schedule, parts: Parts, row: string, suffix: string, sizes: readonly number[]): Schedule => {
  const extent = constantOf(findLoop(s.kernel, row, 'attention').loop.extent)
  const [size, ...smaller] = sizes
  if (extent === 1 || (size === undefined && extent === undefined)) return oneRow(s, parts, row, suffix)
  if (size === undefined || extent === size) return block(s, parts, row, suffix, extent ?? 1)
  let t = split(s, row, size, { tail: 'peel' })
  const rest = tryFindLoop(t.kernel, `${row}_r`) !== undefined
  if (tryFindLoop(t.kernel, `${row}_i`) !== undefined) t = block(t, parts, `${row}_i`, suffix, size, rest)
  return rest ? blocks(t, parts, `${row}_r`, `${suffix}_r`, smaller) : t
}

/** The nests of one part, by the names that its axes and buffers have there. */
const renamed = (
  c: Contraction,
  { between }: Parts,
  suffix: string,
  rows?: readonly [fill: string, update: string, store: string],
): Contraction => {
  const of = (axes: readonly string[], first?: string): string[] => [
    ...(first === undefined ? [] : [first]),
    ...axes.map(a => `${a}${suffix}`),
  ]
  const stageOf = (x: Stage, first?: string): Stage => {
    const spatial = of(x.spatial, first)
    return { ...x, name: spatial[0] ?? x.name, spatial, reduce: of(x.reduce) }
  }
  return {
    ...c,
    init: stageOf(c.init, rows?.[0]),
    update: stageOf(c.update, rows?.[1]),
    store: stageOf(c.store, rows?.[2]),
    lhs: c.lhs.map(b => (between.some(x => x.buffer === b) ? `${b}${suffix}` : b)),
    rows: rows?.[1],
    columns: `${c.columns}${suffix}`,
    depth: `${c.depth}${suffix}`,
    accumulator: `${c.accumulator}${suffix}`,
  }
}

/** @param whole whether tiles must divide the rows: the names of what a tile leaves over are those of other rows */
const block = (s: Schedule, parts: Parts, row: string, suffix: string, rows: number, whole = false): Schedule => {
  const names = (what: string) => [`${row}_${what}_fill`, `${row}_${what}`, `${row}_${what}_store`] as const
  const [scores, values, between] = [names('scores'), names('values'), `${row}_rows`]
  let t = fission(s, row, [...scores, between, ...values], [1, 1, 1, parts.between.length, 1, 1, 1])
  t = product(t, parts, 'scores', renamed(parts.scores, parts, suffix, scores), rows, whole)
  t = onRows(t, parts, suffix)
  return product(t, parts, 'values', renamed(parts.values, parts, suffix, values), rows, whole)
}

const oneRow = (s: Schedule, parts: Parts, row: string, suffix: string): Schedule => {
  let t = product(s, parts, 'scores', renamed(parts.scores, parts, suffix), 1)
  t = onRows(t, parts, suffix)
  return product(t, parts, 'values', renamed(parts.values, parts, suffix), 1)
}

const product = (
  s: Schedule,
  { context, tiles }: Parts,
  which: 'scores' | 'values',
  c: Contraction,
  rows: number,
  whole = false,
): Schedule => {
  const { nr, lanes, madd } = tiles[which]
  let { mr } = tileOf(context, s, c, rows, nr)
  while (whole && rows % mr !== 0) mr--
  return tiled(s, c, { mr, nr, pack: 'none', lanes, madd })
}

/** All that is done to a row of scores: reductions in partial results, the rest in vectors. */
const onRows = (s: Schedule, { between }: Parts, suffix: string): Schedule => {
  const of = (axes: readonly string[]): string[] => axes.map(a => `${a}${suffix}`)
  return between.reduce((t, x) => {
    if (x.role === 'update')
      return tryEdit(partialSums(t, { spatial: of(x.spatial), reduce: of(x.reduce) }), u =>
        setSpace(u, `${x.buffer}${suffix}`, 'register'),
      )
    const axis = of(x.spatial).at(-1)
    return x.role !== 'store' || axis === undefined ? t : (firstOf(() => vectors(t, axis, ['exact', 'peel'])) ?? t)
  }, s)
}

/** One row after another, as a loop over all that it needs. */
const rowByRow = (context: RuleContext): Schedule | undefined => {
  const a = attentionOf(context)
  return a && gathered(context, a)
}
