/**
 * @file What `split` with the tail `pad` needs: iterations beyond the extent may run, since nobody sees what they do.
 * Local buffers get room for them, their fills reach over it, and loads outside params yield zero.
 */
import { bufferAlignment, bytesOf } from '@quern/artifact'
import { type BufferDecl, type Index, type Kernel, type Stmt, ix, rangeOf, scalar as sc } from '@quern/core-ir'
import { type Access, accessesOf } from './access.ts'
import { type Domain, factsOf, mergeQuotients, provesInside, withAxis, withFacts } from './bounds.ts'
import { allOf, insideConditions } from './conditions.ts'
import { scheduleError } from './error.ts'
import { type Place, allocsOf, declOf } from './locate.ts'
import { type For, editStmts, replaceLoop, rewriteScalarsOf, visitStmts } from './tree.ts'

/** The kernel, and the loop in it, ready to run up to the next multiple of `factor`. */
export const padTail = (kernel: Kernel, place: Place, factor: number): { kernel: Kernel; loop: For } => {
  const { loop } = place
  const refuse = (why: string): never => {
    throw scheduleError(
      kernel,
      'split',
      'pad-reaches-outside',
      `iterations of ${loop.axis} beyond ${loop.extent.key} would ${why}`,
      loop.axis,
    )
  }
  visitStmts(loop.body, s => {
    if (s.kind === 'fail' || s.kind === 'barrier') refuse(`reach a ${s.kind}`)
  })
  const padded = ix.roundUp(loop.extent, factor)
  const around = withAxis(place.domain, loop.axis, padded)
  const inner = new Set(allocsOf(loop.body).map(a => a.buffer.name))
  const grown = new Map<string, Set<number>>()
  for (const a of accessesOf(loop.body)) {
    const decl = declOf(kernel, a.buffer)
    if (inner.has(a.buffer) || decl === undefined) continue
    const domain = withFacts(
      a.loops.reduce((d, l) => withAxis(d, l.axis, l.extent), around),
      a.facts,
    )
    const reaching = decl.shape.flatMap((extent, d) =>
      provesInside(a.indices[d] ?? ix.constant(0), extent, domain) ? [] : [d],
    )
    if (kernel.params.some(p => p.name === a.buffer)) {
      if (a.kind !== 'read' && !isFlat(decl, a.indices, loop, factor)) refuse(`write ${a.buffer}`)
      continue
    }
    if (a.kind === 'read') {
      if (reaching.length > 0) refuse(`read elements of ${a.buffer} that it does not have`)
      continue
    }
    // An iteration beyond the extent must leave what others use alone: it writes beyond the buffer, or in its padding.
    const own = decl.shape.some(
      (e, d) => isAxis(a, d, loop) && (ix.sameIndex(e, loop.extent) || ix.sameIndex(e, padded)),
    )
    if (!own || !reaching.every(d => isAxis(a, d, loop))) refuse(`change ${a.buffer}`)
    if (reaching.length === 0) continue
    const dims = grown.get(a.buffer) ?? new Set()
    reaching.forEach(d => dims.add(d))
    grown.set(a.buffer, dims)
    if (a.kind === 'accumulate' && reaching.some(d => fillsOf(kernel, a.buffer, d, decl).length === 0))
      refuse(`accumulate into elements of ${a.buffer} that nothing fills`)
  }
  const fills = new Set(
    [...grown].flatMap(([buffer, dims]) => [...dims].flatMap(d => fillsOf(kernel, buffer, d, declOf(kernel, buffer)))),
  )
  const guardedLoop = guardLoads(kernel, loop, around, inner, factor)
  const body = editStmts(replaceLoop(kernel, loop.axis, () => [guardedLoop]).body, s => {
    if (s.kind === 'for' && fills.has(s.axis)) return [{ ...s, extent: padded }]
    const dims = s.kind === 'alloc' ? grown.get(s.buffer.name) : undefined
    if (s.kind !== 'alloc' || dims === undefined) return undefined
    return [
      {
        ...s,
        buffer: { ...s.buffer, shape: s.buffer.shape.map((e, d) => (dims.has(d) ? larger(e, padded, place) : e)) },
      },
    ]
  })
  return { kernel: { ...kernel, body }, loop: guardedLoop }
}

const isAxis = (a: Access, d: number, loop: For): boolean => {
  const index = a.indices[d]
  return index?.kind === 'var' && index.name === loop.axis
}

/** Axes of loops that do nothing but store constants over a whole dim of a buffer; none where it is stored elsewhere too. */
const fillsOf = (kernel: Kernel, buffer: string, dim: number, decl: BufferDecl | undefined): string[] => {
  const axes: string[] = []
  visitStmts(kernel.body, s => {
    if (s.kind !== 'for' || !ix.sameIndex(s.extent, decl?.shape[dim] ?? -1)) return
    const accesses = accessesOf([s])
    const fill = accesses.every(
      a =>
        a.kind === 'write' &&
        a.buffer === buffer &&
        a.facts.length === 0 &&
        a.indices.every((i, d) => (d === dim) === (i.kind === 'var' && i.name === s.axis)),
    )
    if (accesses.length > 0 && fill) axes.push(s.axis)
  })
  const stores = accessesOf(kernel.body).filter(a => a.buffer === buffer && a.kind === 'write')
  return stores.every(a => a.loops.some(l => axes.includes(l.axis))) ? axes : []
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
export const guardLoads = (
  kernel: Kernel,
  loop: For,
  around: Domain,
  local: ReadonlySet<string>,
  factor: number,
): For => {
  const guardIn = (stmts: readonly Stmt[], domain: Domain): readonly Stmt[] =>
    stmts.map((s): Stmt => {
      const own = guardOwn(s, domain)
      if (own.kind === 'for') return { ...own, body: guardIn(own.body, withAxis(domain, own.axis, own.extent)) }
      if (own.kind !== 'if') return own
      return {
        ...own,
        then: guardIn(own.then, withFacts(domain, factsOf(own.condition).facts)),
        else: guardIn(own.else, domain),
      }
    })
  const guardOwn = (s: Stmt, domain: Domain): Stmt =>
    rewriteScalarsOf(s, x => {
      const param = x.kind === 'load' ? kernel.params.find(p => p.name === x.buffer) : undefined
      if (x.kind !== 'load' || param === undefined || local.has(x.buffer) || isFlat(param, x.indices, loop, factor))
        return undefined
      const known = x.guard === undefined ? domain : withFacts(domain, factsOf(x.guard).facts)
      const needed = x.indices.flatMap((i, d) => insideConditions(i, param.shape[d] ?? i, known))
      const guard = allOf(x.guard === undefined ? needed : [x.guard, ...needed])
      if (needed.length === 0 || guard === undefined) return undefined
      return sc.load(x.buffer, x.dtype, x.indices, { guard, fill: x.fill ?? sc.literal(0, x.dtype) })
    })
  return { ...loop, body: guardIn(loop.body, around) }
}

const larger = (a: Index, b: Index, place: Place): Index =>
  rangeOf(mergeQuotients(ix.sub(b, a)), place.domain.ranges).min >= 0 ? b : ix.max(a, b)
