/**
 * @file Blocks of lines: how windows over a picture are read. A block of lines is copied once, borders filled and strides taken
 * apart, and passes all weights while it is near; the weights of one tile stand side by side, in the order of the loops.
 */
import { bytesOf } from '@quern/artifact'
import { type Index, ix } from '@quern/core-ir'
import type { Stage } from '../../lower/lowered-region.ts'
import { type Access, accessesOf } from '../../schedule/access.ts'
import { declOf, tryFindLoop } from '../../schedule/locate.ts'
import { type PhysicalDim, layout } from '../../schedule/primitives/layout.ts'
import { stage } from '../../schedule/primitives/stage.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import type { TargetInfo } from '../../target/target-info.ts'
import { variablesOf } from '../../schedule/tree.ts'
import { constantOf, tryEdit } from '../rule.ts'
import { guardedLoads, mentions } from '../structure.ts'

export interface LineBlocks {
  /** The axis over lines, and how many make a block. */
  readonly lines: string
  readonly by: number
  /** Axes of the window in the order of their loops. */
  readonly reduce: readonly string[]
}

/** Lines of a block, best first: fewer are copied more often where windows overlap, more are no nearer, and a team shares blocks. */
const blockSizes = [4, 5, 6, 7, 8, 3, 2, 1]

/** @param loads the params that the products read */
export const lineBlocksOf = (
  s: Schedule,
  update: Stage,
  loads: readonly Access[],
  { row, column }: { readonly row: string; readonly column: string },
  target: TargetInfo,
): LineBlocks | undefined => {
  const picture = loads.filter(a => mentions(a, column))
  const lines = update.spatial
    .slice(0, -1)
    .filter(a => a !== row && picture.some(load => mentions(load, a)))
    .at(-1)
  const extent = lines === undefined ? undefined : extentOf(s, lines)
  if (lines === undefined || extent === undefined || update.reduce.length < 2) return undefined
  const bytesOfLines = (count: number): number =>
    picture.reduce((sum, a) => sum + boxBytes(s, a, new Map([[lines, count]]), [...update.reduce, column]), 0)
  const by = blockSizes.find(n => extent % n === 0 && (n === 1 || bytesOfLines(n) <= target.cacheBytes[1] / 2))
  // The longest loop innermost, where its start and its end count least; of equal ones, one whose steps are the same everywhere.
  const length = (axis: string): number => extentOf(s, axis) ?? Infinity
  const moves = (axis: string): number =>
    Number(picture.some(a => a.indices.some(i => [axis, column].every(name => variablesOf(i).has(name)))))
  const reduce = [...update.reduce].sort((a, b) => length(a) - length(b) || moves(b) - moves(a))
  return { lines, by: by ?? 1, reduce }
}

const extentOf = (s: Schedule, axis: string): number | undefined => constantOf(tryFindLoop(s.kernel, axis)?.loop.extent)

/** Bytes between the first and the last element that these axes reach, dim by dim. */
const boxBytes = (
  s: Schedule,
  { buffer, indices }: Access,
  extents: ReadonlyMap<string, number>,
  axes: readonly string[],
): number => {
  const decl = declOf(s.kernel, buffer)
  const extent = (axis: string): number => extents.get(axis) ?? (axes.includes(axis) ? (extentOf(s, axis) ?? 1) : 1)
  return indices.reduce<number>(
    (bytes, index) => bytes * (1 + steps(index).reduce((n, [axis, by]) => n + by * (extent(axis) - 1), 0)),
    bytesOf[decl?.dtype ?? 'f32'],
  )
}

/** The variables of a sum with what a step of each is worth. */
const steps = (index: Index): readonly (readonly [axis: string, by: number])[] =>
  ix.split(index).terms.flatMap(t => {
    const [factor, ...more] = t.factors
    return factor?.kind === 'var' && more.length === 0 ? [[factor.name, Math.abs(t.coef)] as const] : []
  })

/** Elements between neighbouring iterations of an axis along the last dim. */
export const strideOf = (a: Access, axis: string): number =>
  steps(a.indices.at(-1) ?? ix.constant(0)).reduce((by, [name, step]) => (name === axis ? step : by), 0)

/** Constants of which each tile of rows reads its own: those of a tile side by side, in the order of the loops. */
export const tilesPacked = (
  s: Schedule,
  update: Stage,
  tile: {
    readonly row: string
    readonly height: number
    readonly reduce: readonly string[]
    readonly constants: ReadonlySet<string>
  },
): Schedule => {
  const [outermost] = update.spatial
  const place = outermost === undefined ? undefined : tryFindLoop(s.kernel, outermost)
  const reads = place === undefined ? [] : accessesOf([place.loop]).filter(a => a.kind === 'read')
  return [...tile.constants].reduce((t, buffer) => {
    const uses = reads.filter(a => a.buffer === buffer)
    const [use] = uses
    const dims = use && tileOrder(use, tile)
    const alike = uses.every(a => a.indices.every((index, d) => index.key === use?.indices[d]?.key))
    return dims === undefined || !alike ? t : tryEdit(t, u => layout(u, buffer, dims))
  }, s)
}

/** Physical dims of a constant whose dims are the row and axes of the window, each once. */
const tileOrder = (
  { indices }: Access,
  { row, height, reduce }: { readonly row: string; readonly height: number; readonly reduce: readonly string[] },
): readonly PhysicalDim[] | undefined => {
  const dimOf = (axis: string): number => indices.findIndex(i => i.kind === 'var' && i.name === axis)
  const rowDim = dimOf(row)
  const window = reduce.map(dimOf).filter(d => d >= 0)
  if (rowDim < 0 || window.length !== indices.length - 1) return undefined
  return [
    { dim: rowDim, part: 'block', by: height },
    ...window.map(dim => ({ dim })),
    { dim: rowDim, part: 'inside', by: height },
  ]
}

/**
 * Copies what one iteration of `axis` reads with a border of fills, or with a stride along the columns: in the copy the columns
 * of a vector are neighbours, and nothing is tested.
 * @param borders writes the copy's own loops
 */
export const linesCopied = (
  s: Schedule,
  update: Stage,
  axis: string,
  column: string,
  borders: (s: Schedule, name: string) => Schedule,
): Schedule => {
  const loop = tryFindLoop(s.kernel, axis)?.loop
  if (loop === undefined) return s
  const params = new Set(s.kernel.params.map(p => p.name))
  const reads = accessesOf(loop.body).filter(
    a => a.kind === 'read' && params.has(a.buffer) && update.reduce.some(k => mentions(a, k)) && mentions(a, column),
  )
  const fills = guardedLoads(loop.body)
  return [...new Set(reads.map(a => a.buffer))].reduce((t, buffer) => {
    const strides = new Set(reads.filter(a => a.buffer === buffer).map(a => strideOf(a, column)))
    const [stride = 1] = strides
    if (strides.size !== 1 || (stride <= 1 && !fills.has(buffer))) return t
    return tryEdit(t, u => {
      const name = `${buffer}_lines`
      const rank = declOf(u.kernel, buffer)?.shape.length ?? 1
      const multiples = Array.from({ length: rank }, (_, d) => (d === rank - 1 ? stride : 1))
      const copied = stage(u, buffer, axis, {
        space: 'private',
        name,
        fill: fills.get(buffer) ?? 0,
        ...(stride > 1 && { multiples }),
      })
      return borders(stride > 1 ? layout(copied, name, apart(rank, stride)) : copied, name)
    })
  }, s)
}

/** The last dim as `stride` rows of every so many-th element. */
const apart = (rank: number, stride: number): readonly PhysicalDim[] => [
  ...Array.from({ length: rank - 1 }, (_, dim) => ({ dim })),
  { dim: rank - 1, part: 'inside', by: stride },
  { dim: rank - 1, part: 'block', by: stride },
]
