/**
 * @file Puts the buffers of a plan into slots. One after another: a slot is as large as its largest tenant, tenants are never wanted
 * at the same time, and offsets are prefix sums, so that everything may depend on symbols. Where all is one memory, also side by
 * side (offsets.ts): there a slot may lie over others that are wanted at other times. Whichever takes less.
 */
import type { DType } from '@quern/artifact'
import { bufferAlignment } from '@quern/artifact'
import {
  type Index,
  type Kernel,
  type MemoryPlan,
  type Plan,
  type Ranges,
  type Slot,
  type SymbolInfo,
  ix,
  spanOf,
  symbolRanges,
} from '@quern/core-ir'
import { estimator, typicalSize } from '../lower/weight.ts'
import { type Liveness, liveness } from './liveness.ts'
import { type Question, larger, placeByOffset } from './offsets.ts'

export interface MemoryOptions {
  readonly elementBytes: Readonly<Record<DType, number>>
  readonly inPlace: boolean
  /** Buffers are ranges of one memory, so that slots may overlap. */
  readonly oneMemory: boolean
}

export const planMemory = (plan: Plan, kernels: ReadonlyMap<string, Kernel>, options: MemoryOptions): MemoryPlan => {
  const ranges = symbolRanges(new Map(plan.symbols.map(s => [s.name, s])))
  const live = liveness(plan, kernels, options.inPlace)
  const sizes = new Map<string, Index>()
  for (const b of plan.buffers)
    if (live.intervals.has(b.name)) sizes.set(b.name, bufferBytes(b, plan.symbols, options.elementBytes))
  const estimate = estimator(plan.symbols)
  const orders: ((a: string, b: string) => number)[] = [
    (a, b) => estimate(sizeOf(b)) - estimate(sizeOf(a)),
    (a, b) => (live.intervals.get(a)?.first ?? 0) - (live.intervals.get(b)?.first ?? 0),
    (a, b) => (live.intervals.get(b)?.last ?? 0) - (live.intervals.get(a)?.last ?? 0),
  ]
  const [best] = orders
    .map(order => assign([...sizes.keys()].sort(order), sizeOf, live, estimate, ranges))
    .map(slots => ({ slots, total: slots.reduce((n, s) => n + estimate(s.bytes), 0) }))
    .sort((a, b) => a.total - b.total)
  const stacked = stackedSlots(best?.slots ?? [])
  const bound = lowerBound(live, sizeOf, estimate, ranges)
  const placed = options.oneMemory
    ? placeByOffset({ sizes, live, ranges, ...scoreAgainst(bound, plan.symbols) }, stacked.peak)
    : undefined
  const { slots, peak } = placed ?? stacked
  return {
    slots,
    slotOf: new Map(slots.flatMap(s => s.tenants.map(t => [t, s.name] as const))),
    peak,
    lowerBound: bound,
  }

  function sizeOf(name: string): Index {
    return sizes.get(name) ?? ix.constant(0)
  }
}

/** What a symbol without a bound counts as where large sizes are asked for. */
const large = 1024

/** How many times the bound a peak is, at the worst of some sizes: the typical, the least and the largest. */
const scoreAgainst = (bound: Index, symbols: readonly SymbolInfo[]): Pick<Question, 'estimates' | 'score'> => {
  const at = (wanted: (s: SymbolInfo) => number): SymbolInfo[] =>
    symbols.map(s => {
      const size = Math.max(1, s.min, Math.min(wanted(s), s.max ?? Infinity))
      return { ...s, min: size, max: size }
    })
  const samples = new Map(
    [typicalSize, () => 1, (s: SymbolInfo) => s.max ?? large].map(wanted => {
      const sized = at(wanted)
      return [sized.map(s => s.min).join(), estimator(sized)] as const
    }),
  )
  const estimates = [...samples.values()]
  const least = estimates.map(sample => Math.max(1, sample(bound)))
  return { estimates, score: peak => Math.max(...estimates.map((sample, i) => sample(peak) / (least[i] ?? 1))) }
}

const stackedSlots = (drafts: readonly Draft[]): { readonly slots: readonly Slot[]; readonly peak: Index } => {
  let offset = ix.constant(0)
  const slots = drafts.map(({ bytes, tenants }, i) => {
    const slot = { name: `s${i}`, bytes, offset, tenants }
    offset = ix.add(offset, bytes)
    return slot
  })
  return { slots, peak: offset }
}

/** Bytes of a buffer, padded; a symbol that data defines counts as its upper bound. */
export const bufferBytes = (
  buffer: Plan['buffers'][number],
  symbols: readonly SymbolInfo[],
  elementBytes: Readonly<Record<DType, number>>,
): Index => {
  return ix.roundUp(ix.mul(atMost(spanOf(buffer.layout), symbols), elementBytes[buffer.dtype]), bufferAlignment)
}

const atMost = (x: Index, symbols: readonly SymbolInfo[]): Index => {
  const uppers = new Map(symbols.flatMap(s => (s.upper === undefined ? [] : [[s.name, s.upper] as const])))
  let now = x
  for (let i = 0; i <= uppers.size; i++)
    now = ix.mapAtoms(now, a => (a.kind === 'var' ? uppers.get(a.name) : undefined))
  return now
}

interface Draft {
  bytes: Index
  readonly tenants: string[]
}

/** Best fit: the slot that grows least, then the one that wastes least. */
const assign = (
  order: readonly string[],
  sizeOf: (name: string) => Index,
  live: Liveness,
  estimate: (x: Index) => number,
  ranges: Ranges,
): Draft[] => {
  const drafts: Draft[] = []
  for (const name of order) {
    const size = sizeOf(name)
    const fits = drafts
      .filter(d => d.tenants.every(t => mayShare(t, name, live)))
      .map(draft => {
        const bytes = larger(draft.bytes, size, ranges)
        const growth = estimate(bytes) - estimate(draft.bytes)
        return { draft, bytes, growth, waste: estimate(bytes) - estimate(size) }
      })
      // Growing a slot by all that a tenant needs saves nothing and ties lifetimes together.
      .filter(f => f.growth < estimate(size) || estimate(size) === 0)
      .sort((a, b) => a.growth - b.growth || a.waste - b.waste)
    const [fit] = fits
    if (fit === undefined) drafts.push({ bytes: size, tenants: [name] })
    else {
      fit.draft.bytes = fit.bytes
      fit.draft.tenants.push(name)
    }
  }
  return drafts
}

export const mayShare = (a: string, b: string, live: Liveness): boolean => {
  const x = live.intervals.get(a),
    y = live.intervals.get(b)
  if (x === undefined || y === undefined) return false
  if (x.last < y.first || y.last < x.first) return true
  return live.inPlace.some(p => (p.from === a && p.to === b) || (p.from === b && p.to === a))
}

/** The largest live set. A step that may work in place needs the shared size once. */
const lowerBound = (
  live: Liveness,
  sizeOf: (name: string) => Index,
  estimate: (x: Index) => number,
  ranges: Ranges,
): Index => {
  const sums = new Map<string, Index>()
  for (let at = -1; at <= live.positions; at++) {
    const names = [...live.intervals].filter(([, { first, last }]) => first <= at && at <= last).map(([name]) => name)
    const spared = new Set<string>()
    const used = new Set<string>()
    for (const p of live.inPlace) {
      if (p.at !== at || used.has(p.from) || used.has(p.to)) continue
      used.add(p.from).add(p.to)
      spared.add(p.to)
    }
    const sum = ix.add(0, ...names.filter(n => !spared.has(n)).map(sizeOf))
    sums.set(sum.key, sum)
  }
  // Past a few candidates a longer formula says no more; the largest at typical sizes stay.
  return [...sums.values()]
    .sort((a, b) => estimate(b) - estimate(a))
    .slice(0, 4)
    .reduce((a, b) => larger(a, b, ranges), ix.constant(0))
}
