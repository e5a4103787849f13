/** @file split: one loop becomes two. */
import { type Index, type Kernel, type Stmt, ix, simplify } from '@quern/core-ir'
import { accessesOf } from '../access.ts'
import { provesNonNegative } from '../bounds.ts'
import { isAtLeast, isLess } from '../conditions.ts'
import { scheduleError } from '../error.ts'
import { type Place, allocsOf, findLoop } from '../locate.ts'
import { maskTail } from '../mask-tail.ts'
import { padTail } from '../pad-tail.ts'
import { primitive, renameAxes } from '../schedule.ts'
import { type For, copyFresh, freshName, namesOf, replaceLoop, substitute, visitStmts } from '../tree.ts'

export type Tail = 'exact' | 'guard' | 'peel' | 'short' | 'overlap' | 'pad' | 'mask'
/** `rest` is the suffix of the names in a second nest (peel, overlap); `r` where absent. */
export type SplitOptions = { readonly tail?: Tail; readonly rest?: string }
type Edit = { readonly kernel: Kernel; readonly axes: readonly string[] }

/**
 * `split('i', 4, tail)` makes `i_o` and `i_i` with i = 4 i_o + i_i. What happens where 4 does not divide the extent n:
 *
 *     for i < n: f(i)  →
 *     exact     for i_o < n // 4: for i_i < 4: f(4 i_o + i_i)                        4 must divide n, provably
 *     guard     for i_o < ceil(n / 4): for i_i < 4: if 4 i_o + i_i < n: f(…)
 *     peel      exact over n // 4 blocks, then for i_r < n % 4: f((n // 4) 4 + i_r)
 *     short     for i_o < ceil(n / 4): for i_i < min(4, n - 4 i_o): f(4 i_o + i_i)
 *     overlap   for i_o < ceil(n / 4): for i_i < 4: f(min(4 i_o, n - 4) + i_i)       pure maps only; n ≥ 4, or an if around it
 *     mask      for i_o < ceil(n / 4): for i_i < 4: acc sum= 4 i_o + i_i < n ? f : 0 reductions: beyond n the neutral element
 *     pad       for i_o < ceil(n / 4): for i_i < 4: f(4 i_o + i_i)                   what lies beyond n is padding nobody reads
 *
 * `pad` widens local buffers; loads that would reach outside a param get a guard. It writes params only in a flat map of
 * 64-byte steps.
 */
export const split = primitive('split', (s, axis: string, factor: number, options: SplitOptions = {}) => {
  const place = findLoop(s.kernel, axis, 'split')
  const tail = options.tail ?? 'exact'
  if (!Number.isSafeInteger(factor) || factor < 1)
    throw scheduleError(
      s.kernel,
      'split',
      'bad-factor',
      `the factor of a split is a positive integer, not ${factor}`,
      axis,
    )
  if (place.loop.tag !== 'serial')
    throw scheduleError(
      s.kernel,
      'split',
      'not-serial',
      `${axis} is ${place.loop.tag}; split it before it gets a tag`,
      axis,
    )
  const edit = tails[tail]?.(s.kernel, place, factor, options.rest ?? 'r')
  if (edit === undefined)
    throw scheduleError(
      s.kernel,
      'split',
      'unknown-tail',
      `a tail is exact, guard, peel, short, overlap, mask or pad, not ${tail}`,
      axis,
    )
  return { kernel: edit.kernel, stages: renameAxes(s.stages, a => (a === axis ? edit.axes : [a])) }
})

const partsOf = (
  kernel: Kernel,
  loop: For,
  factor: number,
  outerExtent: Index,
  at: (o: Index, i: Index) => Index,
  wrap: (body: readonly Stmt[], at: Index) => readonly Stmt[] = b => b,
  innerExtent: (o: Index) => Index = () => ix.constant(factor),
) => {
  const taken = namesOf(kernel)
  const outer = freshName(taken, `${loop.axis}_o`),
    inner = freshName(taken, `${loop.axis}_i`)
  const index = at(ix.variable(outer), ix.variable(inner))
  const body = wrap(substitute(loop.body, new Map([[loop.axis, index]])), index)
  const tiled: For = {
    kind: 'for',
    axis: outer,
    extent: outerExtent,
    tag: 'serial',
    body: [{ kind: 'for', axis: inner, extent: innerExtent(ix.variable(outer)), tag: 'serial', body }],
  }
  return { tiled, outer, inner, taken }
}
const blocked =
  (factor: number) =>
  (o: Index, i: Index): Index =>
    ix.add(ix.mul(o, factor), i)

const exact = (kernel: Kernel, place: Place, factor: number): Edit => {
  const { loop } = place
  if (!isDivisible(place, factor))
    throw scheduleError(
      kernel,
      'split',
      'not-divisible',
      `${factor} is not known to divide the extent of ${loop.axis}, ${loop.extent.key}; give another tail`,
      loop.axis,
      { factor },
    )
  const { tiled, outer, inner } = partsOf(kernel, loop, factor, ix.floorDiv(loop.extent, factor), blocked(factor))
  return { kernel: replaceLoop(kernel, loop.axis, () => [tiled]), axes: [outer, inner] }
}
const isDivisible = (place: Place, factor: number): boolean =>
  ix.isConst(simplify(ix.mod(place.loop.extent, factor), place.domain.ranges), 0)

const guard = (kernel: Kernel, place: Place, factor: number): Edit => {
  const { loop } = place
  if (isDivisible(place, factor)) return exact(kernel, place, factor)
  refuseBarrier(kernel, loop)
  const { tiled, outer, inner } = partsOf(
    kernel,
    loop,
    factor,
    ix.ceilDiv(loop.extent, factor),
    blocked(factor),
    (body, at) => [{ kind: 'if', condition: isLess(at, loop.extent), then: body, else: [] }],
  )
  return { kernel: replaceLoop(kernel, loop.axis, () => [tiled]), axes: [outer, inner] }
}
const refuseBarrier = (kernel: Kernel, loop: For): void =>
  visitStmts(loop.body, stmt => {
    if (stmt.kind === 'barrier')
      throw scheduleError(
        kernel,
        'split',
        'guards-barrier',
        `the body of ${loop.axis} holds a barrier, which may not stand under a guard`,
        loop.axis,
      )
  })

const peel = (kernel: Kernel, place: Place, factor: number, suffix: string): Edit => {
  const { loop } = place
  if (isDivisible(place, factor)) return exact(kernel, place, factor)
  const blocks = ix.floorDiv(loop.extent, factor)
  const { tiled, outer, inner, taken } = partsOf(kernel, loop, factor, blocks, blocked(factor))
  const rest = freshName(taken, `${loop.axis}_${suffix}`)
  const copy = copyFresh(loop.body, suffix, taken)
  const remainder: For = {
    kind: 'for',
    axis: rest,
    extent: ix.mod(loop.extent, factor),
    tag: 'serial',
    body: substitute(copy.stmts, new Map([[loop.axis, ix.add(ix.mul(blocks, factor), ix.variable(rest))]])),
  }
  const none = ix.isConst(blocks, 0)
  return {
    kernel: replaceLoop(kernel, loop.axis, () => (none ? [remainder] : [tiled, remainder])),
    axes: none ? [rest] : [outer, inner],
  }
}

const short = (kernel: Kernel, place: Place, factor: number): Edit => {
  const { loop } = place
  if (isDivisible(place, factor)) return exact(kernel, place, factor)
  const { tiled, outer, inner } = partsOf(
    kernel,
    loop,
    factor,
    ix.ceilDiv(loop.extent, factor),
    blocked(factor),
    undefined,
    o => ix.min(factor, ix.sub(loop.extent, ix.mul(o, factor))),
  )
  return { kernel: replaceLoop(kernel, loop.axis, () => [tiled]), axes: [outer, inner] }
}

const overlap = (kernel: Kernel, place: Place, factor: number, suffix: string): Edit => {
  const { loop } = place
  if (isDivisible(place, factor)) return exact(kernel, place, factor)
  const local = new Set(allocsOf(loop.body).map(a => a.buffer.name))
  const accesses = accessesOf(loop.body).filter(a => !local.has(a.buffer))
  const written = new Set(accesses.filter(a => a.kind !== 'read').map(a => a.buffer))
  const bad = accesses.find(a => a.kind === 'accumulate' || (a.kind === 'read' && written.has(a.buffer)))
  if (bad !== undefined)
    throw scheduleError(
      kernel,
      'split',
      'overlap-not-a-pure-map',
      `an overlapped block runs some iterations of ${loop.axis} twice, and its body also reads ${bad.buffer}, which it writes`,
      loop.axis,
    )
  const param = kernel.params.find(p => p.access === 'read_write' && written.has(p.name))
  if (param !== undefined)
    throw scheduleError(
      kernel,
      'split',
      'overlap-in-place',
      `${param.name} is read and written in place, so no iteration of ${loop.axis} may run twice`,
      loop.axis,
    )
  const { tiled, outer, inner, taken } = partsOf(kernel, loop, factor, ix.ceilDiv(loop.extent, factor), (o, i) =>
    ix.add(ix.min(ix.mul(o, factor), ix.sub(loop.extent, factor)), i),
  )
  if (provesNonNegative(ix.sub(loop.extent, factor), place.domain))
    return { kernel: replaceLoop(kernel, loop.axis, () => [tiled]), axes: [outer, inner] }
  const copy = copyFresh([loop], suffix, taken)
  return {
    kernel: replaceLoop(kernel, loop.axis, () => [
      { kind: 'if', condition: isAtLeast(loop.extent, ix.constant(factor)), then: [tiled], else: copy.stmts },
    ]),
    axes: [outer, inner],
  }
}

const pad = (kernel: Kernel, place: Place, factor: number): Edit => {
  const { loop } = place
  if (isDivisible(place, factor)) return exact(kernel, place, factor)
  const padded = padTail(kernel, place, factor)
  const { tiled, outer, inner } = partsOf(
    padded.kernel,
    padded.loop,
    factor,
    ix.ceilDiv(loop.extent, factor),
    blocked(factor),
  )
  return { kernel: replaceLoop(padded.kernel, loop.axis, () => [tiled]), axes: [outer, inner] }
}

const mask = (kernel: Kernel, place: Place, factor: number): Edit => {
  const { loop } = place
  if (isDivisible(place, factor)) return exact(kernel, place, factor)
  const { tiled, outer, inner } = partsOf(
    kernel,
    maskTail(kernel, place, factor),
    factor,
    ix.ceilDiv(loop.extent, factor),
    blocked(factor),
  )
  return { kernel: replaceLoop(kernel, loop.axis, () => [tiled]), axes: [outer, inner] }
}

const tails = { exact, guard, peel, short, overlap, pad, mask } as const satisfies Record<
  Tail,
  (kernel: Kernel, place: Place, factor: number, suffix: string) => Edit
>
