/** @file What a graph pass is. */
import type { ConstantData, Fired, Graph, Numerics } from '@quern/core-ir'

export interface PassContext {
  readonly numerics: Numerics
  /** Notes the rules that fired, for `inspect` and debug output. */
  note(fired: readonly Fired[]): void
  /** The bytes of a stored constant. */
  readonly bytesOf: (source: string, offset: number, length: number) => Promise<Uint8Array>
  /** Keeps the bytes of a new constant with the program. */
  store(bytes: Uint8Array): ConstantData
}

export interface Pass {
  readonly name: string
  readonly doc: string
  run(graph: Graph, context: PassContext): Graph | Promise<Graph>
}
