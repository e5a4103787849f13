/** @file Where the buffers of one plan are: addresses over symbols, and the places that steps contend for. */
import { bufferAlignment } from '@quern/artifact'
import { type Index, type MemoryPlan, type Plan, type PlanBuffer, type Slot, bytesOfBuffer, ix } from '@quern/core-ir'
import { defect } from '../defect.ts'
import type { Placement } from './place.ts'

export class PlanMemory {
  private readonly plan: Plan
  private readonly placement: Placement
  private readonly memory: MemoryPlan
  private readonly buffers: ReadonlyMap<string, PlanBuffer>
  constructor(plan: Plan, placement: Placement) {
    this.plan = plan
    this.placement = placement
    this.memory = plan.memory ?? oneSlotEach(plan)
    this.buffers = new Map(plan.buffers.map(b => [b.name, b]))
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
  /** What steps that touch this buffer contend for: its slot, or the constant or state itself. */
  placeOf(name: string): string {
    const b = this.root(name)
    if (b.kind === 'constant') return `constant ${b.name}`
    return b.kind === 'state' ? `state ${this.placement.fixed(b)}` : this.slotOf(b).name
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
