/** @file The plan: the steps of one entry over buffers whose sizes are integer expressions, and where each buffer lives. */
import type { DType } from '@quern/artifact'
import type { ConstantData, SymbolInfo } from '../graph/graph.ts'
import type { Index } from '../index/index-expr.ts'
import type { Layout } from '../layout/layout.ts'
import type { Kernel } from '../loop/kernel.ts'

/**
 * `input` and `output` cross to the host; `constant` is packed into the weights at build; `state` persists;
 * `scratch` lives in the arena. Only inputs, outputs and scratch have slots.
 */
export type PlanBufferKind = 'input' | 'output' | 'constant' | 'state' | 'scratch'

export interface PlanBuffer {
  readonly name: string
  readonly kind: PlanBufferKind
  readonly dtype: DType
  /** Logical shape. */
  readonly shape: readonly Index[]
  readonly layout: Layout
  /** constants: row-major bytes before `layout` is applied (the packer applies it). */
  readonly data?: ConstantData
  /** A view: shares the memory of that buffer (reshape). */
  readonly aliasOf?: string
  /** Port or state name for inputs, outputs, states. */
  readonly port?: string
}

export type Step =
  /** `args` are buffer names in the order of the kernel's params. */
  | { readonly kind: 'kernel'; readonly kernel: string; readonly args: readonly string[] }
  | { readonly kind: 'copy'; readonly from: string; readonly to: string }
  /** Reads a scalar i32/i64 buffer into a symbol, clamped to its upper bound. */
  | { readonly kind: 'define'; readonly symbol: string; readonly from: string }
  | { readonly kind: 'if'; readonly condition: string; readonly then: readonly Step[]; readonly else: readonly Step[] }
  /**
   * Runs `body` while `condition` (a scalar bool buffer, if given) holds, at most `limit` times (a number of trips: an index
   * expression, or a scalar i32/i64 buffer). `counter` is a symbol holding the trip number inside the body.
   */
  | {
      readonly kind: 'loop'
      readonly counter: string
      readonly limit: Index | string | undefined
      readonly condition: string | undefined
      readonly body: readonly Step[]
    }

export interface Slot {
  readonly name: string
  /** Bytes, rounded up to 64: the maximum over its tenants. */
  readonly bytes: Index
  /** Byte offset in the arena. Slots whose tenants are wanted at different times may overlap. */
  readonly offset: Index
  readonly tenants: readonly string[]
}

export interface MemoryPlan {
  readonly slots: readonly Slot[]
  /** Slot name of each buffer that has one. */
  readonly slotOf: ReadonlyMap<string, string>
  readonly peak: Index
  /** Sum of the live set at its worst step: what no plan can go below. */
  readonly lowerBound: Index
}

/**
 * That rows along a dim are independent: a run may be cut into runs of at most `rows` rows, whose data stays in the cache and
 * whose arena is small. Every output has the symbol as its first dim and in no other, every input likewise or not at all.
 */
export interface Stream {
  readonly symbol: string
  /** Over the other symbols; a multiple of what the symbol is a multiple of. */
  readonly rows: Index
}

export interface Plan {
  readonly entry: string
  readonly symbols: readonly SymbolInfo[]
  readonly stream?: Stream
  readonly buffers: readonly PlanBuffer[]
  readonly steps: readonly Step[]
  readonly memory: MemoryPlan | undefined
}

/** What code generation reads: every kernel and every plan of one program for one target. */
export interface LoweredProgram {
  readonly name: string
  readonly kernels: ReadonlyMap<string, Kernel>
  readonly plans: readonly Plan[]
}
