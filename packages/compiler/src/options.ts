/** @file What a compilation may be asked for. */
import type { Numerics } from '@quern/core-ir'
import type { Fusions, PrepareLimits } from '@quern/graph-opt'
import type { PreparedCache } from './prepare/preparation.ts'

export interface CompileOptions {
  /** What rewrites may change numerically; `reproducible` is bit-identical on every machine (wasm). Default `algebraic`. */
  readonly numerics?: 'reproducible' | Numerics
  /** wasm variants: shared memory with a team of workers; relaxed SIMD. */
  readonly threads?: boolean
  readonly relaxed?: boolean
  /** webgpu variants. */
  readonly f16?: boolean
  /**
   * Bytes. Refuses a program that needs more memory at every size of its dims. Default 4 GiB, which is also the most that wasm
   * has.
   */
  readonly maxMemory?: number
  /** What a build may spend on computing constants; beyond, they are computed at run time, and the stage says so. */
  readonly limits?: Partial<PrepareLimits>
  /** Decisions of regions to be taken the other way: a fusion that is `false` is left. The stages say what each did. */
  readonly fusions?: Fusions
  /** Constants that were computed for another target of the same model, and need not be again. */
  readonly prepared?: PreparedCache
  /**
   * Schedules in the place of those of the rules, as the stage `schedule` prints them. Every primitive still checks that it
   * applies, and `numerics` limits it.
   */
  readonly schedules?: string
  /** Layouts in the place of those that the pass would choose, value by value, as the stage `layouts` prints them. */
  readonly layouts?: string
  /** Verify the graph after every pass, and interpret it against the original on small random inputs. Slow; for finding defects. */
  readonly verify?: boolean
  /**
   * Sees every state of every IR as text: `graph`, each graph pass by name, `prepare`, `layouts`, `regions`, `lowered`, `schedule`, `loop`, `legal`, `plan`,
   * `memory`, `cost`, `wat` or `wgsl`, `sizes`. Absent, nothing is printed.
   */
  readonly onStage?: (name: string, text: string) => void
  /** Sizes of dims, and of a team, for which the stages say what memory and time they mean; else the least and the largest. */
  readonly showAt?: { readonly dims?: Readonly<Record<string, number>>; readonly threads?: number }
}

/** Two orders of the same sum differ in bits, so reproducible code keeps the written order. */
export const numericsOf = ({ numerics = 'algebraic' }: CompileOptions): Numerics =>
  numerics === 'reproducible' ? 'exact' : numerics
