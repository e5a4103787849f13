/** @file What a graph pass is. */
import type { ConstantData, Fired, Graph, Numerics } from '@quern/core-ir'
import type { PrepareLimits } from './prepare-constants.ts'

/** What joins several kernels into one, where it pays: each may be switched off. */
export interface Fusions {
  /** Products of one operand with several constant matrices: `merge-siblings`. */
  readonly siblings?: boolean
  /** Scores, what is done to their rows, and the product with values. */
  readonly attention?: boolean
}

export interface PassContext {
  readonly numerics: Numerics
  /** Notes the rules that fired, for `inspect` and debug output. */
  note(fired: readonly Fired[]): void
  /** The bytes of a stored constant. */
  readonly bytesOf: (source: string, offset: number, length: number) => Promise<Uint8Array>
  /** Keeps the bytes of a new constant with the program. */
  store(bytes: Uint8Array): ConstantData
  /** Keeps a graph of constants with the program, to run at build; gives its outputs as constants, whose bytes are made when read. */
  prepare(graph: Graph): readonly ConstantData[]
  /** What preparing constants may cost; defaults where absent. */
  readonly limits?: Partial<PrepareLimits>
  readonly fusions?: Fusions
}

export interface Pass {
  readonly name: string
  readonly doc: string
  run(graph: Graph, context: PassContext): Graph | Promise<Graph>
}
