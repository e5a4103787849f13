/**
 * @file The graph IR: pure SSA dataflow. Immutable nodes; a value is (node, result index) or a graph input.
 * States are explicit inputs and outputs. Control flow and regions hold nested graphs as attributes, whose
 * inputs are all explicit (no captures).
 */
import type { DType } from '@quern/artifact'
import type { Index } from '../index/index-expr.ts'
import type { Span } from '../diagnostics/span.ts'

export interface TensorType {
  readonly dtype: DType
  readonly shape: readonly Index[]
}

/** Bytes of a constant: inline for small ones, else a range of a named source, read late. */
export type ConstantData =
  | { readonly kind: 'inline'; readonly values: readonly (number | bigint)[] }
  | {
      readonly kind: 'bytes'
      readonly source: string
      readonly offset: number
      readonly length: number
      readonly hash: string
    }

export type AttrValue = number | bigint | boolean | string | null | Index | ConstantData | Graph | readonly AttrValue[]
export type Attrs = Readonly<Record<string, AttrValue>>

/** A value: the result of a node, or an input of the graph. Compared by identity. */
export interface Value {
  readonly type: TensorType
  /** undefined for a graph input. */
  readonly node: Node | undefined
  /** Result index of the node, or input index of the graph. */
  readonly index: number
  /** A name for people (input names, user variables); never an identity. */
  readonly name: string | undefined
}

export interface Node {
  readonly op: string
  readonly operands: readonly (Value | undefined)[]
  readonly attrs: Attrs
  readonly results: readonly Value[]
  /** The user's line; outside identity. */
  readonly origin: Span | undefined
}

export interface Input {
  readonly name: string
  readonly value: Value
}
export interface Output {
  readonly name: string
  readonly value: Value
}

/** What is known of a symbol. `definedBy` is set for those an op defines at run time, bounded by `upper`. */
export interface SymbolInfo {
  readonly name: string
  readonly min: number
  readonly max: number | undefined
  readonly multipleOf: number
  readonly upper?: Index
}
export type Symbols = ReadonlyMap<string, SymbolInfo>

export interface Graph {
  readonly kind: 'graph'
  readonly name: string
  readonly inputs: readonly Input[]
  /** In topological order. */
  readonly nodes: readonly Node[]
  readonly outputs: readonly Output[]
  readonly symbols: Symbols
}

/** A persistent tensor that entries read and write; `init` undefined means zeros. */
export interface StateDecl {
  readonly name: string
  readonly type: TensorType
  readonly init: ConstantData | undefined
}

/**
 * The unit of compilation. An entry's graph reads a state through an input named `state:NAME` and updates it through an
 * output of the same name.
 */
export interface ProgramGraph {
  readonly name: string
  readonly entries: ReadonlyMap<string, Graph>
  readonly states: readonly StateDecl[]
  /** Bytes behind `ConstantData` of kind `bytes`. */
  readonly sources: ReadonlyMap<string, ByteSource>
}

/** Random access to bytes, read late and asynchronously. */
export interface ByteSource {
  readonly name: string
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array>
}

export const statePrefix = 'state:'
