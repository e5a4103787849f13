/**
 * @file Reductions along rows on a CPU: all that a row needs (maximum, sum, the row itself) is computed in one iteration,
 * with partial results in vectors. Softmax, norms, and plain reductions over the last dims.
 */
import { type Stmt, rangeOf } from '@quern/core-ir'
import type { Stage } from '../../lower/lowered-region.ts'
import { weightOf } from '../../lower/weight.ts'
import { tryFindLoop } from '../../schedule/locate.ts'
import { rfactor } from '../../schedule/primitives/rfactor.ts'
import { type Tail, split } from '../../schedule/primitives/split.ts'
import { tabulate } from '../../schedule/primitives/tabulate.ts'
import { unroll } from '../../schedule/primitives/unroll.ts'
import { vectorize } from '../../schedule/primitives/vectorize.ts'
import type { Schedule } from '../../schedule/schedule.ts'
import type { For } from '../../schedule/tree.ts'
import { inPlacePairs } from '../../memory/in-place.ts'
import { type ScheduleRule, constantOf, firstOf, isFor, start, tryEdit } from '../rule.ts'
import { contiguousAxis, gatherAt, paramLoads, rootOf, rowsFirst, updatesOf } from '../structure.ts'
import { inParallel } from './map.ts'
import { lanesIn, vectors } from './vector.ts'

/** Independent vectors of partial results: what hides the latency of an addition. */
const partials = 4

export const rowRule: ScheduleRule = context => {
  const { region } = context
  const updates = updatesOf(region.stages)
  const root = rootOf(region.stages)
  const [first] = updates
  if (first === undefined || root === undefined) return undefined
  let s = start(context)
  const along = updates.map(u => contiguousAxis(paramLoads(s, u), [...u.spatial, ...u.reduce]))
  if (!updates.some((u, i) => u.reduce.includes(along[i] ?? ''))) return undefined
  const found = rowsFirst(s)
  const axis = found?.rows.at(-1)
  if (found !== undefined && axis !== undefined) s = dearOnce(gatherAt(found.schedule, axis), axis)
  for (const update of updates) s = partialSums(s, update)
  // What may be written in place must not be computed twice.
  const tails: readonly Tail[] =
    inPlacePairs(region.kernel).length > 0 ? ['exact', 'peel'] : ['exact', 'overlap', 'peel']
  for (const stage of s.stages) if (stage.role === 'store' || stage.role === 'init') s = mapInner(s, stage, axis, tails)
  return inParallel(s, context)
}

/** From this weight on a value is dearer to compute again than to keep: a transcendental function. */
const dear = 8
/** Elements of a row up to which what was computed is still in the second level cache when it is read again. */
const keptElements = 1 << 15

/** What two loops of a row compute alike, like the exponentials of a softmax, is computed once for both. */
const dearOnce = (s: Schedule, row: string): Schedule => {
  const loops = innermost(tryFindLoop(s.kernel, row)?.loop.body ?? [])
  return loops.reduce((t, loop, i) => {
    if (mostOf(s, loop) > keptElements) return t
    const lets = loop.body.flatMap(x => (x.kind === 'let' && weightOf(x.value) >= dear ? [x.name] : []))
    return lets.reduce((u, name) => {
      const share = (...axes: string[]) => firstOf(() => tabulate(u, name, loop.axis, ...axes))
      const alike = loops.slice(i + 1).flatMap(({ axis }) => (share(axis) === undefined ? [] : [axis]))
      // All of them, or where something between is written, the first.
      return (alike.length === 0 ? undefined : (share(...alike) ?? share(...alike.slice(0, 1)))) ?? u
    }, t)
  }, s)
}

/** The most iterations that a loop may have, by the bounds of its symbols. */
export const mostOf = ({ kernel }: Schedule, { extent }: For): number =>
  rangeOf(extent, new Map(kernel.symbols.map(x => [x.name, { min: x.min, max: x.max ?? Infinity }]))).max

const innermost = (stmts: readonly Stmt[]): readonly For[] =>
  stmts.filter(isFor).flatMap(loop => (loop.body.some(isFor) ? innermost(loop.body) : [loop]))

/** The innermost loop of a stage's nest as vectors, if it is not the loop over the rows. */
const mapInner = (s: Schedule, stage: Stage, rows: string | undefined, tails: readonly Tail[]): Schedule => {
  const axis = stage.spatial.at(-1)
  const loop = axis === undefined ? undefined : tryFindLoop(s.kernel, axis)?.loop
  if (loop === undefined || loop.axis === rows || loop.body.some(isFor) || loop.tag !== 'serial') return s
  return firstOf(() => vectors(s, loop.axis, constantOf(loop.extent) === undefined ? ['exact', 'peel'] : tails)) ?? s
}

/** Partial results in several vectors, or as many as there is work for. */
export const partialSums = (s: Schedule, update: Pick<Stage, 'spatial' | 'reduce'>): Schedule => {
  const axis = update.reduce.at(-1)
  if (axis === undefined || tryFindLoop(s.kernel, axis) === undefined) return s
  const outer = update.reduce[0] ?? axis
  return (
    firstOf(
      () => vectorReduce(s, axis, outer, partials),
      () => vectorReduce(s, axis, axis, partials),
      () => vectorReduce(s, axis, outer, 1),
      () => vectorReduce(s, axis, axis, 1),
    ) ?? s
  )
}

const weightIn = (s: Stmt): number =>
  s.kind === 'let' || s.kind === 'accumulate' || s.kind === 'store' ? weightOf(s.value) : 0

/**
 * Sums along `axis` in `count` vectors, which are joined when `outer` is done. What the vectors leave over is summed in one
 * vector, then element by element.
 */
export const vectorReduce = (s: Schedule, axis: string, outer: string, count: number): Schedule | undefined => {
  const loop = tryFindLoop(s.kernel, axis)?.loop
  if (loop === undefined || loop.body.some(isFor)) return undefined
  const lanes = lanesIn(s, axis)
  const width = lanes * count
  const extent = constantOf(loop.extent)
  if (extent !== undefined && extent < width && !(count === 1 && extent > 1)) return undefined
  // A vector with idle lanes costs less than a few elements of dear work one by one.
  const masked = count === 1 && loop.body.some(x => weightIn(x) >= dear)
  let t =
    (masked ? firstOf(() => split(s, axis, width, { tail: 'mask' })) : undefined) ??
    split(s, axis, width, { tail: 'peel' })
  const [blocks, lane] = [`${axis}_o`, `${axis}_i`]
  t = rfactor(t, lane, outer === axis ? blocks : outer)
  t = count === 1 ? vectorize(t, lane) : unroll(vectorize(split(t, lane, lanes), `${lane}_i`), `${lane}_o`)
  const fill = `${lane}_fill`
  t = count === 1 ? vectorize(t, fill) : unroll(vectorize(split(t, fill, lanes), `${fill}_i`), `${fill}_o`)
  t = unroll(t, `${lane}_join`)
  const rest = `${axis}_r`
  if (count === 1 || tryFindLoop(t.kernel, rest) === undefined) return t
  return tryEdit(t, u => vectorReduce(u, rest, rest, 1) ?? u)
}
