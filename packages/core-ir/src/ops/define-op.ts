/** @file What an op is: one object that infers, checks, means, differentiates and documents. */
import type { DType } from '@quern/artifact'
import type { AttrValue, Attrs, ConstantData, Graph, TensorType, Value, SymbolInfo, Symbols } from '../graph/graph.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Index, IndexLike } from '../index/index-expr.ts'
import type { Scalar } from '../scalar/scalar.ts'
import type { LoopBuilder } from '../loop/builder.ts'
import type { RegionKind } from './region-kinds.ts'

/** How an attribute prints, parses and is checked. `dims` holds indices over symbols; `ints` plain numbers. */
export type AttrKind =
  | 'int'
  | 'ints'
  | 'float'
  | 'bool'
  | 'string'
  | 'dtype'
  | 'dim'
  | 'dims'
  | 'graph'
  | 'constant'
  | 'strings'
export interface AttrSpec {
  readonly kind: AttrKind
  /** Absent: the attribute is required. Present and equal: it is not printed. */
  readonly default?: AttrValue
  readonly oneOf?: readonly string[]
  readonly doc: string
}

type AttrOf<S extends AttrSpec> = S['kind'] extends 'int' | 'float'
  ? number
  : S['kind'] extends 'ints'
    ? readonly number[]
    : S['kind'] extends 'bool'
      ? boolean
      : S['kind'] extends 'string'
        ? string
        : S['kind'] extends 'strings'
          ? readonly string[]
          : S['kind'] extends 'dtype'
            ? DType
            : S['kind'] extends 'dim'
              ? Index
              : S['kind'] extends 'dims'
                ? readonly Index[]
                : S['kind'] extends 'graph'
                  ? Graph
                  : S['kind'] extends 'constant'
                    ? ConstantData
                    : AttrValue
export type AttrSpecs = Readonly<Record<string, AttrSpec>>
export type AttrsOf<S extends AttrSpecs> = { readonly [K in keyof S]: AttrOf<S[K]> }

/** Operand names: `'x'`, `'bias?'` (optional), `'...parts'` (the rest). */
type PlainName<N extends string> = N extends `...${infer R}` ? R : N extends `${infer R}?` ? R : N
export type Operands<N extends readonly string[], T> = {
  readonly [K in N[number] as PlainName<K>]: K extends `...${string}`
    ? readonly T[]
    : K extends `${string}?`
      ? T | undefined
      : T
}

/** Read access to an operand inside index notation. */
export interface Operand {
  readonly type: TensorType
  /** The element at these indices, which the op guarantees to be in bounds. */
  at(...indices: readonly IndexLike[]): Scalar
  /** The element, or `fill` where any index is outside: never reads outside. */
  atOr(indices: readonly IndexLike[], fill: Scalar): Scalar
}

export interface InferContext {
  readonly symbols: Symbols
  /** Whether the two are equal for every value of the symbols, as far as can be proved. */
  equal(a: IndexLike, b: IndexLike): boolean
  /** A fresh symbol for an op that defines one (`nonzero`); its value is at most `upper`. */
  define(hint: string, upper: Index): SymbolInfo
  /** Keeps narrower bounds of a symbol, which an op needs, with the graph. */
  narrow(symbol: SymbolInfo): void
  /** The elements of an operand as expressions over dims, in row-major order; undefined where they are data. */
  elements(operand: string): readonly Index[] | undefined
}

/** The context that whoever builds a graph gives; what concerns operands is added for each node. */
export type GraphContext = Omit<InferContext, 'elements'>

export interface Constraint<O, A> {
  /** The id is the error code `op/id`, the test's name and the line in the op reference. */
  readonly id: string
  /** What must hold, in the notation of the reference. */
  readonly says: string
  holds(operands: O, attrs: A, context: InferContext): boolean
  /**
   * What must not be negative besides. What is not plain becomes bounds of symbols, which the graph keeps and the runtime checks;
   * where bounds cannot say it, the constraint does not hold.
   */
  readonly requires?: (operands: O, attrs: A) => readonly Index[]
  /** What was found, with values; becomes the second half of the message. */
  readonly found?: (operands: O, attrs: A) => string
}

/** Which family of schedules an op's kernels belong to; the region pass and the rules read it. */
export type OpClass =
  | 'injective'
  | 'reduction'
  | 'contraction'
  | 'loops'
  | 'composite'
  | 'control'
  | 'constant'
  | 'region'

export interface GradientContext<O> {
  readonly builder: GraphBuilder
  readonly operands: O
  readonly results: readonly Value[]
}

export interface OpDefinition<N extends readonly string[] = readonly string[], S extends AttrSpecs = AttrSpecs> {
  readonly name: string
  readonly doc: string
  readonly class: OpClass
  /**
   * The family of schedules of its kernels, where the class does not say it. A composite with a family is computed whole by one
   * kernel; others are decomposed.
   */
  readonly family?: RegionKind
  readonly operands: N
  /** Operands whose elements have to be known at build, as expressions over dims. */
  readonly known?: readonly string[]
  readonly attrs: S
  /**
   * Rewrites what an author may write (negative axes, empty lists that mean "all") into the one form that the IR holds.
   * Runs after defaults are filled in and before constraints; must not throw on attributes that constraints will refuse.
   */
  readonly canonical?: (operands: Operands<N, TensorType>, attrs: AttrsOf<S>) => AttrsOf<S>
  readonly constraints: readonly Constraint<Operands<N, TensorType>, AttrsOf<S>>[]
  infer(operands: Operands<N, TensorType>, attrs: AttrsOf<S>, context: InferContext): readonly TensorType[]
  /** Index notation: each result element at `out`. Exactly one of compute, loops, decompose, or class control/constant/region. */
  readonly compute?: (
    out: readonly Index[],
    operands: Operands<N, Operand>,
    attrs: AttrsOf<S>,
    result: number,
  ) => Scalar
  /** Loop-language semantics of ops that are not index notation: writes every result buffer. */
  readonly loops?: (
    b: LoopBuilder,
    operands: Operands<N, LoopBuffer>,
    results: readonly LoopBuffer[],
    attrs: AttrsOf<S>,
  ) => void
  /** Other loops that write the same; lowering takes the first that suits the machine, and names the kernel after it. */
  readonly forms?: readonly LoopForm<Operands<N, LoopBuffer>, AttrsOf<S>>[]
  /** A composite's meaning in other ops. */
  readonly decompose?: (b: GraphBuilder, operands: Operands<N, Value>, attrs: AttrsOf<S>) => readonly Value[]
  /**
   * Symbols the op defines at run time: result `from` is an i32 scalar that holds the value of `symbol`. Until it is known,
   * result buffers have the extents they would have at the symbol's upper bound, and `loops` writes a prefix of them.
   */
  readonly defines?: (results: readonly TensorType[]) => readonly { readonly symbol: string; readonly from: number }[]
  /**
   * Adjoint: gradients of the operands from those of the results (undefined where a result has none), in other ops. A composite
   * without one is differentiated through its decomposition. In words: `'zero'`: constant almost everywhere, so that no gradient
   * passes; `'by-graph'`: through its nested graphs, by `differentiate/`; `'none'`: not differentiable, with the reason in `doc`.
   */
  readonly gradient?:
    | ((
        grads: readonly (Value | undefined)[],
        context: GradientContext<Operands<N, Value>>,
        attrs: AttrsOf<S>,
      ) => Partial<Operands<N, Value>>)
    | 'zero'
    | 'by-graph'
    | 'none'
  /** A graph in text form that uses the op once; tests parse, verify and run it. */
  readonly example: string
}

/** A buffer as loop semantics sees it. */
export interface LoopBuffer {
  readonly name: string
  readonly type: TensorType
  at(...indices: readonly IndexLike[]): Scalar
}

/** Loops that write what an op's `loops` writes, by another algorithm. */
export interface LoopForm<O, A> {
  readonly name: string
  readonly doc: string
  /** Written for one thread a row, or with the workgroups and threads of a grid. */
  readonly machine: 'thread' | 'grid'
  /** Whether it may and should stand for these. */
  suits(operands: O, attrs: A, mayReassociate: boolean): boolean
  write(b: LoopBuilder, operands: O, results: readonly LoopBuffer[], attrs: A): void
}

/** An op whose parameter types are erased, as registries hold it. */
export type AnyOp = OpDefinition<readonly string[], AttrSpecs>

export const defineOp = <const N extends readonly string[], const S extends AttrSpecs>(
  op: OpDefinition<N, S>,
): OpDefinition<N, S> => op

/** Erases the parameters; sound because operands and attrs are validated against the op's own specs before any call. */
export const erase = <N extends readonly string[], S extends AttrSpecs>(op: OpDefinition<N, S>): AnyOp =>
  op as unknown as AnyOp

export type { Attrs }
