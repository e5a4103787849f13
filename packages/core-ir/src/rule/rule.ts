/** @file Rewrite rules as data, and what a rewrite may change numerically. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Node, Value } from '../graph/graph.ts'
import type { Pattern } from './pattern.ts'

/** From least to most: what a rule may change. `exact` changes no bit. */
export const numericsLevels = ['exact', 'ignores-signed-zero', 'reassociates', 'algebraic'] as const
export type Numerics = (typeof numericsLevels)[number]

export interface Match {
  /** Values bound by `.as(name)` or `any(name)`. */
  readonly values: Readonly<Record<string, Value>>
  /** Nodes bound by name: where the bound value is a node's result. */
  readonly nodes: Readonly<Record<string, Node>>
  readonly root: Node
}

/** What a rule may ask of the graph around its match. */
export interface RewriteContext {
  /** Whether nothing but the match itself uses a value, graph outputs included. */
  usedOnce(value: Value): boolean
}

export interface Rule {
  readonly name: string
  /** `before → after`, in one line. */
  readonly doc: string
  readonly numerics: Numerics
  readonly match: Pattern
  /** New values for the root's results, or undefined when the rule does not apply after all. Must keep the types. */
  rewrite(builder: GraphBuilder, match: Match, context: RewriteContext): readonly Value[] | undefined
}

export const rule = (r: Rule): Rule => r
