/** @file What lowering hands to schedules: an unscheduled, correct kernel and the stages its nests belong to. */
import type { Kernel } from '@quern/core-ir'

/** What a stage's nest does with its buffer. `loops` is a nest of loop-language semantics that no rule takes apart. */
export type StageRole = 'init' | 'update' | 'store' | 'loops'

/** One loop nest of a lowered region. Axis names are unique in the kernel: `<stage>_<axis>`. */
export interface Stage {
  readonly name: string
  /** The buffer that the nest writes. */
  readonly buffer: string
  /** Axes that index the buffer, outermost first. */
  readonly spatial: readonly string[]
  /** Axes that the buffer's element is accumulated over. */
  readonly reduce: readonly string[]
  readonly role: StageRole
}

export interface LoweredRegion {
  readonly kernel: Kernel
  /** In the order of the nests. */
  readonly stages: readonly Stage[]
}
