/** @file What a graph pass is. */
import type { Fired, Graph, Numerics } from '@quern/core-ir'

export interface PassContext {
  readonly numerics: Numerics
  /** Notes the rules that fired, for `inspect` and debug output. */
  note(fired: readonly Fired[]): void
  /** The bytes of a constant, read late; undefined where they are too many to fold. */
  readonly bytesOf: (source: string, offset: number, length: number) => Promise<Uint8Array>
}

export interface Pass {
  readonly name: string
  readonly doc: string
  run(graph: Graph, context: PassContext): Graph | Promise<Graph>
}
