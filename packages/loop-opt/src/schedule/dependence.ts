/**
 * @file Which iterations of a loop touch the same elements. Conservative: what the subscripts do not prove apart is taken
 * to meet.
 */
import { type BufferDecl, type Index, type Kernel, ix, rangeOf } from '@quern/core-ir'
import { type Access, accessesOf } from './access.ts'
import { type Domain, extreme, mergeQuotients, withAxes } from './bounds.ts'
import { type Place, allocsOf, declOf, stridesOf } from './locate.ts'
import type { For } from './tree.ts'
import { rewriteIndex, variablesOf } from './tree.ts'

/** Which iterations are compared: `later` means that of `b` comes after that of `a`. */
export type Order = 'later' | 'either'

/**
 * Whether `a` in one iteration of `loop` and `b` in another can touch the same element. Axes of the domain (outside the
 * loop) hold the same value in both, except those in `varying`.
 */
export const mayMeet = (
  a: Access,
  b: Access,
  loop: For,
  order: Order,
  domain: Domain,
  decl: BufferDecl | undefined,
  varying: readonly For[] = [],
): boolean =>
  // One iteration has no other to meet.
  !ix.isConst(loop.extent, 1) &&
  (meetsAfter(a, b, loop, domain, decl, varying) ||
    (order === 'either' && meetsAfter(b, a, loop, domain, decl, varying)))

/** b's iteration is x + 1 + step, a's is x. */
const meetsAfter = (
  a: Access,
  b: Access,
  loop: For,
  domain: Domain,
  decl: BufferDecl | undefined,
  varying: readonly For[],
): boolean => {
  if (standApart(a, b, loop, varying)) return false
  const step = `${loop.axis}'step`
  const free = new Map<string, Index>([[loop.axis, ix.add(ix.variable(loop.axis), 1, ix.variable(step))]])
  const own = [...varying, ...b.loops.filter(l => l.axis !== loop.axis)]
  own.forEach(l => free.set(l.axis, ix.variable(`${l.axis}'`)))
  const renamed = (x: Index): Index => rewriteIndex(x, { variable: name => free.get(name) })
  const known = new Set(domain.axes.map(x => x.name))
  const axes: { name: string; extent: Index }[] = []
  const add = (name: string, extent: Index): void => {
    if (!known.has(name)) axes.push({ name, extent })
    known.add(name)
  }
  add(loop.axis, ix.sub(loop.extent, 1))
  axes.push({ name: step, extent: ix.sub(loop.extent, 1) })
  for (const l of [...varying, ...a.loops]) if (l.axis !== loop.axis) add(l.axis, l.extent)
  for (const l of own) axes.push({ name: `${l.axis}'`, extent: renamed(l.extent) })
  const joint = withAxes(domain, axes)
  const ranges = joint.ranges
  const apart = (ia: Index, ib: Index): boolean => {
    if (hasValue(ia) || hasValue(ib)) return false
    const gap = mergeQuotients(ix.sub(ia, renamed(ib)))
    const range = rangeOf(gap, ranges)
    if (range.min > 0 || range.max < 0) return true
    const low = extreme(gap, 'lower', joint.axes, ranges),
      high = extreme(gap, 'upper', joint.axes, ranges)
    return (
      (low !== undefined && rangeOf(low, domain.symbols).min > 0) ||
      (high !== undefined && rangeOf(high, domain.symbols).max < 0) ||
      notMultiple(gap, joint)
    )
  }
  if (a.indices.some((ia, d) => apart(ia, b.indices[d] ?? ia))) return false
  if (digitsDetermine(a, b, loop, varying, joint)) return false
  const flatA = flatten(a, decl),
    flatB = flatten(b, decl)
  return flatA === undefined || flatB === undefined || !apart(flatA, flatB)
}

/**
 * The plain case, told without any range: a subscript that is the same in both, c · axis and what holds its value while the
 * axis runs.
 */
const standApart = (a: Access, b: Access, loop: For, varying: readonly For[]): boolean =>
  a.indices.some((index, d) => {
    if (index.key !== b.indices[d]?.key) return false
    const { terms } = ix.split(index)
    const own = terms.filter(t => t.factors.some(f => mentionsAny(f, new Set([loop.axis]))))
    const [only] = own
    if (own.length !== 1 || only?.factors.length !== 1 || only.factors[0]?.kind !== 'var' || hasValue(index))
      return false
    const moving = new Set([...varying, ...a.loops, ...b.loops].map(l => l.axis).filter(axis => axis !== loop.axis))
    return !mentionsAny(index, moving)
  })

/**
 * Whether equal subscripts mean equal iterations because they are the digits of one number: `[e // d, e % d]` determine e,
 * whatever d is, and so does `[c (e // d) + r, e % d]` with 0 ≤ r < c.
 */
const digitsDetermine = (a: Access, b: Access, loop: For, varying: readonly For[], joint: Domain): boolean => {
  if (a.indices.length < 2 || a.indices.some((i, d) => i.key !== b.indices[d]?.key || hasValue(i))) return false
  const inner = new Set([...varying, ...a.loops, ...b.loops].map(l => l.axis).filter(name => name !== loop.axis))
  const free = (x: Index): boolean => ![...variablesOf(x)].some(v => inner.has(v))
  const known = a.indices.flatMap(i => leading(i, free, joint) ?? [])
  for (let i = 0; i < known.length && i < 64; i++)
    for (const x of known.slice()) {
      const whole = known.find(
        y => y.kind === 'div' && x.kind === 'mod' && y.num.key === x.num.key && y.den.key === x.den.key,
      )
      if (whole?.kind === 'div' && !known.some(y => y.key === whole.num.key)) known.push(whole.num)
      // (e // d) % c beside e // (c d) is the two digits of e // d.
      if (x.kind !== 'mod' || x.num.kind !== 'div' || !ix.isConst(x.den) || !ix.isConst(x.num.den)) continue
      const { num, den } = x.num
      const both = den.value * x.den.value
      const upper = known.some(y => y.kind === 'div' && y.num.key === num.key && ix.isConst(y.den, both))
      if (upper && !known.some(y => y.key === x.num.key)) known.push(x.num)
    }
  return known.some(x => {
    const { terms } = ix.split(x)
    const own = terms.filter(t => t.factors.some(f => variablesOf(f).has(loop.axis)))
    return own.length === 1 && own[0]?.factors.length === 1 && own[0].factors[0]?.kind === 'var'
  })
}

/** What equal subscripts make equal: the subscript without inner axes, which must add less than one step of the rest. */
const leading = (x: Index, free: (x: Index) => boolean, joint: Domain): Index | undefined => {
  if (free(x)) return x
  const { terms } = ix.split(x)
  const outer = terms.filter(t => t.factors.every(free))
  const rest = rangeOf(
    ix.fromTerms(
      0,
      terms.filter(t => !outer.includes(t)),
    ),
    joint.ranges,
  )
  const steps = outer.map(t => Math.abs(t.coef))
  const step = steps.length === 0 ? 0 : Math.min(...steps)
  if (rest.min < 0 || rest.max >= step || steps.some(c => c % step !== 0)) return undefined
  return ix.fromTerms(
    0,
    outer.map(t => ({ ...t, coef: t.coef / step })),
  )
}

/** Whether the terms that some step does not divide always lie strictly between two multiples of it: 4 (j − j') + l − l' + 1. */
const notMultiple = (gap: Index, domain: Domain): boolean => {
  const { offset, terms } = ix.split(gap)
  const ranges = domain.ranges
  return [...new Set(terms.map(t => Math.abs(t.coef)))].some(step => {
    const rest = ix.fromTerms(
      offset,
      terms.filter(t => t.coef % step !== 0),
    )
    const low = extreme(rest, 'lower', domain.axes, ranges),
      high = extreme(rest, 'upper', domain.axes, ranges)
    if (step < 2 || low === undefined || high === undefined) return false
    const least = rangeOf(low, ranges).min,
      most = rangeOf(high, ranges).max
    return Math.floor(least / step) === Math.floor(most / step) && least % step !== 0
  })
}

const hasValue = (x: Index): boolean => {
  let found = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'value') found = true
  })
  return found
}

/** Subscripts as one element number: what tells `[f // n, f % n]` apart, where no single dim does. */
const flatten = (a: Access, decl: BufferDecl | undefined): Index | undefined =>
  decl === undefined || decl.shape.length < 2
    ? undefined
    : ix.add(...stridesOf(decl).map((stride, d) => ix.mul(a.indices[d] ?? 0, stride)))

export interface Carried {
  readonly from: Access
  readonly to: Access
  /** Both accumulate with the same reducer: only the order of accumulation is at stake. */
  readonly commutes: boolean
}

/** Pairs of accesses of different iterations that may meet, at least one of them writing; buffers of the body itself are left out. */
export const carriedBy = (
  kernel: Kernel,
  place: Place,
  varying: readonly For[] = [],
  order: Order = 'either',
): Carried[] => {
  const local = new Set(allocsOf(place.loop.body).map(a => a.buffer.name))
  const accesses = accessesOf(place.loop.body).filter(a => !local.has(a.buffer))
  const pairs: Carried[] = []
  for (const [i, a] of accesses.entries())
    for (const [j, b] of accesses.entries()) {
      if (a.buffer !== b.buffer || (a.kind === 'read' && b.kind === 'read') || (order === 'either' && j < i)) continue
      if (mayMeet(a, b, place.loop, order, place.domain, declOf(kernel, a.buffer), varying))
        pairs.push({
          from: a,
          to: b,
          commutes: a.kind === 'accumulate' && b.kind === 'accumulate' && a.reducer === b.reducer,
        })
    }
  return pairs
}

/** Whether accumulating in another order gives the same bits. */
export const exactReducer = (reducer: Access['reducer'], decl: BufferDecl | undefined): boolean =>
  reducer !== undefined &&
  decl !== undefined &&
  (reducer === 'max' || reducer === 'min' || reducer === 'any' || reducer === 'all' || !decl.dtype.startsWith('f'))

/** A sentence about a carried pair. */
export const describe = (c: Carried, axis: string): string => {
  const verb = { read: 'reads', write: 'writes', accumulate: 'accumulates into' } as const
  return `iterations of ${axis} may meet: one ${verb[c.from.kind]} ${c.from.buffer}[${c.from.indices.map(i => i.key).join(', ')}], another ${verb[c.to.kind]} ${c.to.buffer}[${c.to.indices.map(i => i.key).join(', ')}]`
}

export const mentionsAny = (x: Index, names: ReadonlySet<string>): boolean =>
  [...variablesOf(x)].some(n => names.has(n))
