/** @file Bounds inference: the box of a buffer that a loop body touches, and what boxes of other iterations cover. */
import { type BufferDecl, type Index, ix, rangeOf } from '@quern/core-ir'
import type { Access } from './access.ts'
import { type Domain, extreme, mergeQuotients, provesLess, provesNonNegative, simplified, withAxis } from './bounds.ts'
import { mayMeet } from './dependence.ts'
import type { For } from './tree.ts'
import { variablesOf } from './tree.ts'

/** Per dim: the first element touched, over the axes outside, and how many. */
export interface Box {
  readonly low: readonly Index[]
  readonly size: readonly Index[]
  /** Dims taken whole since their bounds are not known: guarded accesses may reach outside them. */
  readonly whole: readonly boolean[]
}

/**
 * The smallest box known to hold all accesses. `outer` are the axes that stay fixed; everything else in the subscripts
 * varies. A dim whose bounds are not known, or whose size is not free of axes, is taken whole.
 */
export const boxOf = (
  accesses: readonly Access[],
  decl: BufferDecl,
  outer: Domain,
  varying: readonly For[] = [],
): Box => {
  const low: Index[] = [],
    size: Index[] = [],
    whole: boolean[] = []
  decl.shape.forEach((extent, d) => {
    const interval = intervalOf(accesses, d, outer, varying)
    low.push(interval?.low ?? ix.constant(0))
    size.push(interval?.size ?? extent)
    whole.push(interval === undefined)
  })
  return { low, size, whole }
}

const intervalOf = (
  accesses: readonly Access[],
  d: number,
  outer: Domain,
  varying: readonly For[],
): { low: Index; size: Index } | undefined => {
  let low: Index | undefined, high: Index | undefined
  const fixed = new Set(outer.axes.map(a => a.name))
  varying.forEach(l => fixed.delete(l.axis))
  const symbols = new Set(outer.symbols.keys())
  for (const a of accesses) {
    const inner = [...varying, ...a.loops]
    const inside = inner.reduce(
      (domain, l) => (domain.axes.some(x => x.name === l.axis) ? domain : withAxis(domain, l.axis, l.extent)),
      outer,
    )
    const { ranges } = inside
    const index = simplified(a.indices[d] ?? ix.constant(0), inside)
    const axes = inner.map(l => ({ name: l.axis, extent: l.extent }))
    const first = extreme(index, 'lower', axes, ranges),
      last = extreme(index, 'upper', axes, ranges)
    if (first === undefined || last === undefined) return undefined
    if ([...variablesOf(first), ...variablesOf(last)].some(n => !fixed.has(n) && !symbols.has(n))) return undefined
    low = low === undefined ? first : smaller(low, first, outer)
    high = high === undefined ? last : smaller(high, last, outer, true)
    if (low === undefined || high === undefined) return undefined
  }
  if (low === undefined || high === undefined) return undefined
  const size = simplified(mergeQuotients(ix.add(ix.sub(high, low), 1)), outer)
  if ([...variablesOf(size)].some(n => !symbols.has(n)) || !isPlain(low)) return undefined
  return { low, size }
}

const isPlain = (x: Index): boolean => {
  let plain = true
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'value') plain = false
  })
  return plain
}

const smaller = (a: Index, b: Index, d: Domain, larger = false): Index | undefined =>
  provesNonNegative(ix.sub(b, a), d)
    ? larger
      ? b
      : a
    : provesNonNegative(ix.sub(a, b), d)
      ? larger
        ? a
        : b
      : undefined

/** Whether the boxes of different iterations of every one of these loops are disjoint. */
export const disjointOver = (box: Box, loops: readonly For[], outer: Domain, decl: BufferDecl): boolean =>
  loops.every((loop, i) => {
    const at = outer.axes.findIndex(a => a.name === loop.axis)
    const domain = { ...outer, axes: at < 0 ? outer.axes : outer.axes.slice(0, at) }
    const inner = [...loops.slice(i + 1), ...boxLoops(box)]
    const access: Access = {
      buffer: decl.name,
      kind: 'write',
      indices: box.low.map((l, d) => ix.add(l, ix.variable(`box'${d}`))),
      loops: inner,
      facts: [],
    }
    return !mayMeet(access, access, loop, 'later', domain, undefined)
  })

const boxLoops = (box: Box): For[] =>
  box.size.map((extent, d) => ({ kind: 'for', axis: `box'${d}`, extent, tag: 'serial', body: [] }))

/** Whether the boxes over all iterations of these loops hold every element of the shape. */
export const covers = (box: Box, loops: readonly For[], shape: readonly Index[], outer: Domain): boolean => {
  const used = new Set<string>()
  return shape.every((extent, d) => {
    const low = box.low[d] ?? ix.constant(0),
      size = box.size[d] ?? ix.constant(0)
    // Each dim must be covered by axes of its own: two dims that share one cover a diagonal.
    const names = [...variablesOf(low)].filter(n => loops.some(l => l.axis === n))
    if (names.some(n => used.has(n))) return false
    names.forEach(n => used.add(n))
    const { offset, terms } = ix.split(low)
    if (offset > 0) return false
    const steps: { coef: Index; loop: For }[] = []
    for (const t of terms) {
      const [axis, ...others] = [...t.factors].sort(f =>
        f.kind === 'var' && loops.some(l => l.axis === f.name) ? -1 : 1,
      )
      const loop = axis?.kind === 'var' ? loops.find(l => l.axis === axis.name) : undefined
      if (loop === undefined || others.some(o => [...variablesOf(o)].some(n => loops.some(l => l.axis === n))))
        return false
      steps.push({ coef: ix.mul(t.coef, ...others), loop })
    }
    const outside = { ...outer, axes: outer.axes.filter(a => !loops.some(l => l.axis === a.name)) }
    // [offset, offset + span) is covered; each axis in turn, from the smallest step, must not leap over what is covered.
    let span = size
    const left = [...steps]
    while (left.length > 0) {
      const next = left.findIndex(
        s =>
          rangeOf(s.coef, outside.symbols).min > 0 &&
          !provesLess(span, s.coef, outside) &&
          provesNonNegative(ix.sub(span, s.coef), outside),
      )
      const step = left[next]
      if (step === undefined) return false
      left.splice(next, 1)
      span = ix.add(span, ix.mul(step.coef, ix.sub(step.loop.extent, 1)))
    }
    return provesNonNegative(ix.sub(ix.add(span, offset), extent), outside)
  })
}
