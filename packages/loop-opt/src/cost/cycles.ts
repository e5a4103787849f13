/** @file What one core needs for a round of a loop: its ports, the latency of its sums, and the loop itself. */
import type { Core, TargetInfo } from '../target/target-info.ts'

/** Instructions of one round, each on a vector or on a single element. */
export interface Round {
  /** A multiply-add is two. */
  readonly arithmetic: number
  readonly loads: number
  readonly stores: number
  /** Additions that wait for one another. */
  readonly chain: number
}

/** Cycles of the slowest port, by port. */
export const portsOf = ({ arithmetic, loads, stores, chain }: Round, core: Core) => ({
  arithmetic: arithmetic / core.arithmetic,
  L1: Math.max(loads / core.loads, stores / core.stores),
  latency: chain * core.latency,
})

/** Cycles of one round: instructions of different ports overlap. */
export const roundOf = (round: Round, core: Core): number =>
  Math.max(...Object.values(portsOf(round, core))) + core.roundCycles

/** Vectors of registers beyond what a core has cost a load and a store each. */
export const spilled = (vectors: number, registers: number): Pick<Round, 'loads' | 'stores'> => {
  const over = Math.max(0, vectors - registers)
  return { loads: over, stores: over }
}

/** Simple operations at full speed. */
export const microseconds = (operations: number, { speed }: Pick<TargetInfo, 'speed'>): number =>
  operations / (speed.gflops * 1e3)
