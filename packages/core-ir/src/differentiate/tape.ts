/** @file What the way forward leaves behind for the way back. */
import type { Span } from '../diagnostics/span.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Graph, Node, Value } from '../graph/graph.ts'

/** A value on the way forward, and whether gradients are wanted of it. Two inputs bound to one value are two of these. */
export interface Tracked {
  readonly value: Value
  readonly active: boolean
}

export interface Step {
  readonly origin: Span | undefined
  readonly operands: readonly (Tracked | undefined)[]
  readonly results: readonly Tracked[]
  /** Gradients of the operands from those of the results; undefined stands for zero. */
  pull(grads: readonly (Value | undefined)[]): readonly (Value | undefined)[]
}

export interface Tape {
  readonly builder: GraphBuilder
  readonly steps: Step[]
  /** How nested graphs are differentiated. */
  readonly pullBack: PullBack
}

/** Copies a node forward and notes its step; `useful`: which results gradients will arrive at. */
export type Follow = (
  tape: Tape,
  node: Node,
  operands: readonly (Tracked | undefined)[],
  useful: readonly boolean[],
) => readonly Tracked[]

export interface Pulled {
  readonly outputs: readonly Value[]
  /** Gradients of the inputs that were asked for; undefined stands for zero. */
  readonly gradients: readonly (Value | undefined)[]
}

/**
 * Adds a graph's nodes to a builder, at `args`, and then what carries gradients of its outputs back to its inputs.
 * @param seeds gradients of the outputs; undefined stands for zero
 * @param wanted which inputs' gradients are wanted
 */
export type PullBack = (
  builder: GraphBuilder,
  body: Graph,
  args: readonly Value[],
  seeds: readonly (Value | undefined)[],
  wanted: readonly boolean[],
) => Pulled

export const valuesOf = (operands: readonly (Tracked | undefined)[]): (Value | undefined)[] =>
  operands.map(o => o?.value)

/** A name that is not taken yet; takes it. */
export const freshName = (taken: Set<string>, hint: string): string => {
  let name = hint
  for (let i = 1; taken.has(name); i++) name = `${hint}_${i}`
  taken.add(name)
  return name
}
