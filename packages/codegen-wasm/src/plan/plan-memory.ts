/** @file Where the buffers of one plan are: addresses over symbols, and the places that steps contend for. */
import { bufferAlignment } from '@quern/artifact'
import {
  type Index,
  type MemoryPlan,
  type Plan,
  type PlanBuffer,
  type Ranges,
  type Slot,
  bytesOfBuffer,
  ix,
  provesLessEqual,
  symbolRanges,
} from '@quern/core-ir'
import { defect } from '../defect.ts'
import type { Placement } from './place.ts'

export class PlanMemory {
  private readonly plan: Plan
  private readonly placement: Placement
  private readonly memory: MemoryPlan
  private readonly overlaps: ReadonlyMap<string, readonly string[]>
  private readonly buffers: ReadonlyMap<string, PlanBuffer>
  constructor(plan: Plan, placement: Placement) {
    this.plan = plan
    this.placement = placement
    this.memory = plan.memory ?? oneSlotEach(plan)
    this.buffers = new Map(plan.buffers.map(b => [b.name, b]))
    this.overlaps = overlapsOf(this.memory.slots, symbolRanges(new Map(plan.symbols.map(s => [s.name, s]))))
  }

  /** Bytes of the arena, without the members' own memory. */
  get peak(): Index {
    return this.bounded(this.memory.peak)
  }
  buffer(name: string): PlanBuffer {
    return this.buffers.get(name) ?? missing('buffer', name)
  }
  /** The buffer that a view is of. */
  root(name: string): PlanBuffer {
    const b = this.buffer(name)
    return b.aliasOf === undefined ? b : this.root(b.aliasOf)
  }
  addressOf(name: string): Index {
    const b = this.root(name)
    if (b.kind === 'constant' || b.kind === 'state') return ix.constant(this.placement.fixed(b))
    return ix.add(this.placement.arenaAt, this.bounded(this.slotOf(b).offset))
  }
  /** What a buffer lies in: its slot, or the constant or state itself. */
  placeOf(name: string): string {
    const b = this.root(name)
    if (b.kind === 'constant') return `constant ${b.name}`
    return b.kind === 'state' ? `state ${this.placement.fixed(b)}` : this.slotOf(b).name
  }
  /** What steps that touch this buffer contend for: its place, and what it has in common with each slot that lies over it. */
  placesOf(name: string): readonly string[] {
    const b = this.root(name)
    const place = this.placeOf(name)
    return b.kind === 'constant' || b.kind === 'state' ? [place] : [place, ...(this.overlaps.get(place) ?? [])]
  }
  /** Sizes speak of what the host knows: a symbol that data defines stands for its bound. */
  bounded(x: Index): Index {
    return ix.mapAtoms(x, a => (a.kind === 'var' ? this.plan.symbols.find(s => s.name === a.name)?.upper : undefined))
  }
  private slotOf(b: PlanBuffer): Slot {
    const name = this.memory.slotOf.get(b.name)
    return this.memory.slots.find(s => s.name === name) ?? missing('slot of', b.name)
  }
}

/** By slot, a name for each pair of slots that are not proved to lie apart: both have it. */
const overlapsOf = (slots: readonly Slot[], ranges: Ranges): ReadonlyMap<string, readonly string[]> => {
  const found = new Map(slots.map((s): [string, string[]] => [s.name, []]))
  const before = (a: Slot, b: Slot): boolean => provesLessEqual(ix.add(a.offset, a.bytes), b.offset, ranges)
  slots.forEach((a, i) => {
    for (const b of slots.slice(i + 1))
      if (!before(a, b) && !before(b, a)) for (const s of [a, b]) found.get(s.name)?.push(`${a.name} over ${b.name}`)
  })
  return found
}

export const missing = (what: string, name: string): never => {
  throw defect(`the plan has no ${what} ${name}`)
}

/** One slot for each buffer, for a plan that was not given a memory plan. */
const oneSlotEach = (plan: Plan): MemoryPlan => {
  let end: Index = ix.constant(0)
  const slots = plan.buffers
    .filter(b => b.aliasOf === undefined && b.kind !== 'constant' && b.kind !== 'state')
    .map(b => {
      const bytes = ix.roundUp(bytesOfBuffer(b), bufferAlignment)
      const slot = { name: b.name, bytes, offset: end, tenants: [b.name] }
      end = ix.add(end, bytes)
      return slot
    })
  return { slots, slotOf: new Map(slots.map(s => [s.name, s.name])), peak: end, lowerBound: end }
}
