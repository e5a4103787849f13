/**
 * @file Buffers side by side in one memory: each at the lowest offset where it meets nothing that is wanted when it is. What is large
 * goes first, and what ends up highest goes to the front of the next attempt.
 */
import { type Index, type Ranges, type Slot, ix, provesLessEqual, simplify } from '@quern/core-ir'
import type { Liveness } from './liveness.ts'

export interface Question {
  readonly sizes: ReadonlyMap<string, Index>
  readonly live: Liveness
  /** Numbers for expressions, at several sizes of the symbols. */
  readonly estimates: readonly ((x: Index) => number)[]
  readonly ranges: Ranges
  /** How many times what any plan needs, at the worst of some sizes. */
  readonly score: (peak: Index) => number
}

export interface Placed {
  readonly slots: readonly Slot[]
  readonly peak: Index
}

/** Attempts from each order by size, before the best of all is taken. */
const attempts = 8

/** A placement that scores better than a peak of `atMost`; else undefined. */
export const placeByOffset = (q: Question, atMost: Index): Placed | undefined => {
  let best: Attempt | undefined
  let least = q.score(atMost)
  // Which of two buffers is the larger may depend on the symbols, and with it which order is best.
  for (const estimate of q.estimates) {
    const weight = (name: string): number => estimate(q.sizes.get(name) ?? ix.constant(0))
    let order = [...q.sizes.keys()].sort((a, b) => weight(b) - weight(a))
    const tried = new Set<string>()
    // The same order again would go round in a circle.
    for (let i = 0; i < attempts && least > 1 && !tried.has(order.join()); i++) {
      tried.add(order.join())
      const made = attempt(q, order, estimate)
      const score = q.score(made.peak)
      if (score < least) {
        best = made
        least = score
      }
      const { highest } = made
      order = [highest, ...order.filter(name => name !== highest)]
    }
  }
  return best && { slots: slotsOf(best, q.sizes), peak: best.peak }
}

interface Attempt {
  readonly offsets: ReadonlyMap<string, Index>
  readonly peak: Index
  /** The buffer that ends at the peak. */
  readonly highest: string
}

const attempt = (q: Question, order: readonly string[], estimate: (x: Index) => number): Attempt => {
  const offsets = new Map<string, Index>()
  let peak = ix.constant(0)
  let highest = order[0] ?? ''
  for (const name of order) {
    const offset = lowest(q, name, offsets, estimate)
    offsets.set(name, offset)
    const end = ix.add(offset, q.sizes.get(name) ?? 0)
    if (estimate(end) > estimate(peak)) highest = name
    peak = larger(peak, end, q.ranges)
  }
  return { offsets, peak, highest }
}

/**
 * The lowest offset at which a buffer is proved to meet none of those that are placed and wanted with it: above all of them, where
 * nothing lower is.
 */
const lowest = (
  q: Question,
  name: string,
  offsets: ReadonlyMap<string, Index>,
  estimate: (x: Index) => number,
): Index => {
  const size = q.sizes.get(name) ?? ix.constant(0)
  const others = [...offsets].flatMap(([other, offset]) => {
    const how = together(q.live, name, other)
    return how === 'apart' ? [] : [{ offset, end: ix.add(offset, q.sizes.get(other) ?? 0), how }]
  })
  const fits = (at: Index): boolean => {
    const end = ix.add(at, size)
    return others.every(
      o =>
        (o.how === 'in place' && ix.sameIndex(o.offset, at)) ||
        isAtMost(end, o.offset, q.ranges) ||
        isAtMost(o.end, at, q.ranges),
    )
  }
  const candidates = [
    ix.constant(0),
    ...others.map(o => o.end),
    ...others.flatMap(o => (o.how === 'in place' ? [o.offset] : [])),
  ]
  const distinct = [...new Map(candidates.map(c => [c.key, c])).values()]
  return (
    distinct.sort((a, b) => estimate(a) - estimate(b)).find(fits) ??
    others.reduce((top, o) => larger(top, o.end, q.ranges), ix.constant(0))
  )
}

const together = (live: Liveness, a: string, b: string): 'apart' | 'in place' | 'at once' => {
  const x = live.intervals.get(a),
    y = live.intervals.get(b)
  if (x === undefined || y === undefined || x.last < y.first || y.last < x.first) return 'apart'
  // They are of one size, so that either all of them is shared or nothing.
  return live.inPlace.some(p => (p.from === a && p.to === b) || (p.from === b && p.to === a)) ? 'in place' : 'at once'
}

/** Buffers of one size at one place are tenants of one slot. */
const slotsOf = ({ offsets }: Attempt, sizes: ReadonlyMap<string, Index>): readonly Slot[] => {
  const slots = new Map<string, { bytes: Index; offset: Index; tenants: string[] }>()
  for (const [name, offset] of offsets) {
    const bytes = sizes.get(name) ?? ix.constant(0)
    const key = `${offset.key} ${bytes.key}`
    const slot = slots.get(key) ?? { bytes, offset, tenants: [] }
    slot.tenants.push(name)
    slots.set(key, slot)
  }
  return [...slots.values()].map((slot, i) => ({ name: `s${i}`, ...slot }))
}

/** The larger of two sizes, as one of them where the ranges prove an order. */
export const larger = (a: Index, b: Index, ranges: Ranges): Index => {
  if (isAtMost(a, b, ranges)) return b
  if (isAtMost(b, a, ranges)) return a
  return simplify(ix.max(a, b), ranges)
}

/** Whether a ≤ b for all sizes, as far as can be proved; sizes are rounded up, which keeps their order. */
export const isAtMost = (a: Index, b: Index, ranges: Ranges): boolean => {
  if (ix.isConst(a) && ix.isConst(b)) return a.value <= b.value
  // The larger of two is at most what both are, and at least what either is.
  const above = sides(a)
  if (above !== undefined) return above.every(side => isAtMost(side, b, ranges))
  const below = sides(b)
  if (below !== undefined) return below.some(side => isAtMost(a, side, ranges))
  const gap = withoutPairs(ix.sub(b, a), ranges)
  return provesLessEqual(ix.constant(0), gap, ranges) || provesLessEqual(ix.constant(0), unrounded(gap), ranges)
}

/** Of a sum that has the larger of two once, the sum with either. */
const sides = (x: Index): readonly [Index, Index] | undefined => {
  const { offset, terms } = ix.split(x)
  const at = terms.findIndex(t => t.coef === 1 && t.factors.length === 1 && t.factors[0]?.kind === 'max')
  const atom = terms[at]?.factors[0]
  if (atom?.kind !== 'max') return undefined
  const rest = ix.add(offset, ...terms.filter((_, i) => i !== at).map(t => ix.mul(t.coef, ...t.factors)))
  return [ix.add(rest, atom.lhs), ix.add(rest, atom.rhs)]
}

/** Less of a difference: `c * (x // d) - c * (y // d)` is at least zero where x ≥ y, and goes. */
const withoutPairs = (gap: Index, ranges: Ranges): Index => {
  const { offset, terms } = ix.split(gap)
  const left = terms.map(t => ({ ...t }))
  for (const less of left)
    for (const more of left) {
      const [x, ...moreFactors] = more.factors
      const [y, ...lessFactors] = less.factors
      if (less.coef >= 0 || more.coef <= 0 || x?.kind !== 'div' || y?.kind !== 'div') continue
      if (moreFactors.length > 0 || lessFactors.length > 0 || !ix.sameIndex(x.den, y.den)) continue
      if (!provesLessEqual(y.num, x.num, ranges)) continue
      const both = Math.min(more.coef, -less.coef)
      more.coef -= both
      less.coef += both
    }
  return ix.add(offset, ...left.map(t => ix.mul(t.coef, ...t.factors)))
}

/** What is rounded down and taken away, as what it is never above: `-64 * ((x + 63) // 64)` as `-x - 63`. */
const unrounded = (x: Index): Index => {
  const { offset, terms } = ix.split(x)
  return ix.add(
    offset,
    ...terms.map(({ coef, factors }) => {
      const [atom, ...more] = factors
      return atom?.kind === 'div' &&
        more.length === 0 &&
        ix.isConst(atom.den) &&
        coef < 0 &&
        coef % atom.den.value === 0
        ? ix.mul(coef / atom.den.value, atom.num)
        : ix.mul(coef, ...factors)
    }),
  )
}
