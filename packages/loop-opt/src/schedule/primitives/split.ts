/** @file split: one loop becomes two. */
import {
  type BufferDecl,
  type Index,
  type Kernel,
  type Stmt,
  ix,
  rangeOf,
  scalar as sc,
  simplify,
} from '@quern/core-ir'
import { bufferAlignment, bytesOf } from '@quern/artifact'
import { accessesOf } from '../access.ts'
import {
  type Domain,
  factsOf,
  mergeQuotients,
  provesInside,
  provesNonNegative,
  rangesOf,
  withAxis,
  withFacts,
} from '../bounds.ts'
import { allOf, insideConditions, isAtLeast, isLess } from '../conditions.ts'
import { scheduleError } from '../error.ts'
import { type Place, allocsOf, declOf, findLoop } from '../locate.ts'
import { primitive, renameAxes } from '../schedule.ts'
import {
  type For,
  copyFresh,
  editStmts,
  freshName,
  namesOf,
  replaceLoop,
  rewriteScalarsOf,
  substitute,
  visitStmts,
} from '../tree.ts'

export type Tail = 'exact' | 'guard' | 'peel' | 'overlap' | 'pad'
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
 *     overlap   for i_o < ceil(n / 4): for i_i < 4: f(min(4 i_o, n - 4) + i_i)       pure maps only; n ≥ 4, or an if around it
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
      `a tail is exact, guard, peel, overlap or pad, not ${tail}`,
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
    body: [{ kind: 'for', axis: inner, extent: ix.constant(factor), tag: 'serial', body }],
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
  ix.isConst(simplify(ix.mod(place.loop.extent, factor), rangesOf(place.domain)), 0)

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
  const padded = ix.roundUp(loop.extent, factor)
  const inner = new Set(allocsOf(loop.body).map(a => a.buffer.name))
  const grown = new Map<string, Set<number>>()
  const refuse = (why: string): never => {
    throw scheduleError(
      kernel,
      'split',
      'pad-reaches-outside',
      `iterations of ${loop.axis} beyond ${loop.extent.key} would ${why}`,
      loop.axis,
    )
  }
  visitStmts(loop.body, stmt => {
    if (stmt.kind === 'fail' || stmt.kind === 'barrier') refuse(`reach a ${stmt.kind}`)
  })
  const around = withAxis(place.domain, loop.axis, padded)
  for (const a of accessesOf(loop.body)) {
    if (inner.has(a.buffer)) continue
    const decl = declOf(kernel, a.buffer)
    const param = kernel.params.find(p => p.name === a.buffer)
    if (decl === undefined) continue
    const domain = withFacts(
      a.loops.reduce((d, l) => withAxis(d, l.axis, l.extent), around),
      a.facts,
    )
    const reaching = decl.shape.flatMap((extent, d) =>
      provesInside(a.indices[d] ?? ix.constant(0), extent, domain) ? [] : [d],
    )
    const isAxis = (d: number): boolean => a.indices[d]?.kind === 'var' && a.indices[d].name === loop.axis
    if (param === undefined) {
      if (!reaching.every(isAxis)) refuse(`use elements of ${a.buffer} that it does not have`)
      const dims = grown.get(a.buffer) ?? new Set()
      reaching.forEach(d => dims.add(d))
      grown.set(a.buffer, dims)
      // An iteration beyond the extent must leave what others read alone.
      if (a.kind !== 'read' && !a.indices.some((_, d) => isAxis(d))) refuse(`change ${a.buffer}`)
      continue
    }
    if (isFlat(decl, a.indices, loop, factor)) continue
    if (a.kind !== 'read') refuse(`write ${a.buffer}`)
  }
  const guardedLoop = guardLoads(kernel, loop, around, inner, factor)
  const {
    tiled,
    outer,
    inner: innerAxis,
  } = partsOf(kernel, guardedLoop, factor, ix.ceilDiv(loop.extent, factor), blocked(factor))
  const body = editStmts(replaceLoop(kernel, loop.axis, () => [tiled]).body, stmt => {
    const dims = stmt.kind === 'alloc' ? grown.get(stmt.buffer.name) : undefined
    if (stmt.kind !== 'alloc' || dims === undefined || dims.size === 0) return undefined
    return [
      {
        ...stmt,
        buffer: {
          ...stmt.buffer,
          shape: stmt.buffer.shape.map((e, d) => (dims.has(d) ? larger(e, padded, place) : e)),
        },
      },
    ]
  })
  return { kernel: { ...kernel, body }, axes: [outer, innerAxis] }
}
/** Whether a flat map may touch this param up to its padding. */
const isFlat = (decl: BufferDecl, indices: readonly Index[], loop: For, factor: number): boolean => {
  const [only] = indices
  return (
    decl.shape.length === 1 &&
    only?.kind === 'var' &&
    only.name === loop.axis &&
    decl.strides === undefined &&
    decl.offset === undefined &&
    bufferAlignment % (factor * bytesOf[decl.dtype]) === 0 &&
    ix.sameIndex(decl.shape[0] ?? 0, loop.extent)
  )
}

/** Loads that iterations beyond the extent would do outside a param yield zero there. */
const guardLoads = (kernel: Kernel, loop: For, around: Domain, local: ReadonlySet<string>, factor: number): For => {
  const guardIn = (stmts: readonly Stmt[], domain: Domain): readonly Stmt[] =>
    stmts.map((stmt): Stmt => {
      if (stmt.kind === 'for') return { ...stmt, body: guardIn(stmt.body, withAxis(domain, stmt.axis, stmt.extent)) }
      if (stmt.kind === 'if')
        return {
          ...rewriteOwn(stmt, domain),
          then: guardIn(stmt.then, withFacts(domain, factsOf(stmt.condition).facts)),
          else: guardIn(stmt.else, domain),
        }
      return rewriteOwn(stmt, domain)
    })
  const rewriteOwn = <S extends Stmt>(stmt: S, domain: Domain): S =>
    rewriteScalarsOf(stmt, x => {
      const param = x.kind === 'load' ? kernel.params.find(p => p.name === x.buffer) : undefined
      if (x.kind !== 'load' || param === undefined || local.has(x.buffer) || isFlat(param, x.indices, loop, factor))
        return undefined
      const known = x.guard === undefined ? domain : withFacts(domain, factsOf(x.guard).facts)
      const needed = x.indices.flatMap((i, d) => insideConditions(i, param.shape[d] ?? i, known))
      const guard = allOf(x.guard === undefined ? needed : [x.guard, ...needed])
      return needed.length === 0 || guard === undefined
        ? undefined
        : sc.load(x.buffer, x.dtype, x.indices, { guard, fill: x.fill ?? sc.literal(0, x.dtype) })
    })
  return { ...loop, body: guardIn(loop.body, around) }
}

const larger = (a: Index, b: Index, place: Place): Index =>
  rangeOf(mergeQuotients(ix.sub(b, a)), rangesOf(place.domain)).min >= 0 ? b : ix.max(a, b)

const tails = { exact, guard, peel, overlap, pad } as const satisfies Record<
  Tail,
  (kernel: Kernel, place: Place, factor: number, suffix: string) => Edit
>
