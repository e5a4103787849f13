/**
 * @file The tensor of a model file: an expression without a value. It stands for numbers that are known when the model runs, so
 * whatever would need them now (`x + 1`, `x > 0`, `for (… of x)`) is a mistake, and is answered as one.
 */
import { type DType, QuernError } from '@quern/artifact'
import {
  type AttrValue,
  type ConstantData,
  type Span,
  type StateDecl,
  type SymbolInfo,
  type TensorType,
  printTensorType,
} from '@quern/core-ir'
import type { ByteSource } from '@quern/core-ir'
import type { AnyShape } from './shape-types.ts'
import { fromIndex } from './size.ts'

/** A body of `if`, `loop` or `grad`: parameters and results as lazy expressions; captures are found when the graph is built. */
export interface LazyBody {
  readonly kind: 'body'
  readonly name: string
  readonly parameters: readonly { readonly name: string; readonly tensor: AnyTensor }[]
  readonly results: Readonly<Record<string, AnyTensor>>
}

export type LazyNode =
  /** A model's input, or a parameter of a body. */
  | { readonly kind: 'parameter'; readonly name: string; readonly origin: Span | undefined }
  | { readonly kind: 'state'; readonly declaration: StateDecl; readonly origin: Span | undefined }
  | {
      readonly kind: 'constant'
      readonly data: ConstantData
      readonly source: ByteSource | undefined
      readonly origin: Span | undefined
    }
  | {
      readonly kind: 'op'
      readonly op: string
      readonly operands: readonly (AnyTensor | undefined)[]
      readonly attrs: Readonly<Record<string, AttrValue | LazyBody>>
      readonly types: readonly TensorType[]
      readonly origin: Span | undefined
    }

/** One result of a lazy expression. `D` and `S` are what the editor knows of its dtype and shape. */
export interface Tensor<D extends DType = DType, S extends AnyShape = AnyShape> {
  readonly kind: 'tensor'
  readonly dtype: D
  readonly shape: S
  readonly type: TensorType
  readonly node: LazyNode
  readonly index: number
  readonly symbols: ReadonlyMap<string, SymbolInfo>
}
export type AnyTensor = Tensor

export const isTensor = (x: unknown): x is AnyTensor =>
  typeof x === 'object' && x !== null && (x as { kind?: unknown }).kind === 'tensor'

/** The variable a tensor was assigned to, where the instrumentation saw one; for error frames. */
export const nameOf = (t: AnyTensor): string | undefined =>
  t.node.kind === 'parameter' ? t.node.name : t.node.kind === 'state' ? t.node.declaration.name : t.node.origin?.name

/** How an error describes a tensor, in its `details.operands`. */
export const noteOf = (t: AnyTensor, role?: string) => ({
  ...(role === undefined ? {} : { role }),
  type: printTensorType(t.type),
  name: nameOf(t),
  origin: t.node.origin,
})

const said = (t: AnyTensor): string => [nameOf(t), printTensorType(t.type)].filter(s => s !== undefined).join(': ')

class LazyTensor<D extends DType, S extends AnyShape> implements Tensor<D, S> {
  readonly kind = 'tensor'
  readonly node: LazyNode
  readonly index: number
  readonly type: TensorType
  readonly symbols: ReadonlyMap<string, SymbolInfo>
  readonly dtype: D
  readonly shape: S

  constructor(node: LazyNode, index: number, type: TensorType, symbols: ReadonlyMap<string, SymbolInfo>) {
    this.node = node
    this.index = index
    this.type = type
    this.symbols = symbols
    // The one place where the editor's types and the inferred ones meet: callers state D and S by the op's shape rule.
    this.dtype = type.dtype as D
    this.shape = type.shape.map(i => fromIndex(i, symbols)) as unknown as S
  }

  /** Text is for people who look at it; a number would be a value. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return `tensor ${said(this)}`
    throw new QuernError(
      'model/tensor-has-no-value',
      `${said(this)} is a tensor, whose values are known when the model runs: operators of JavaScript cannot use them now; write add(x, y) for x + y, mul(x, y) for x * y, greater(x, y) for x > y, equal(x, y) for x == y`,
      // Without an origin: the stack knows the line of an operator.
      { operands: [noteOf(this)] },
    )
  }

  /** What newcomers look for first; in no type, as there is nothing to read. */
  get data(): never {
    throw new QuernError(
      'model/tensor-has-no-value',
      `${said(this)} is a tensor, which has no data while the model is built: its values are known when the model runs; return it as an output, and read them from what run() gives`,
      { operands: [noteOf(this)] },
    )
  }

  [Symbol.iterator](): never {
    throw new QuernError(
      'model/tensor-has-no-value',
      `${said(this)} is a tensor, whose values are known when the model runs: it is not iterated in JavaScript; unstack(x, 0) gives the parts along an axis, loop() repeats when the model runs`,
      { operands: [noteOf(this)] },
    )
  }
}

/** A tensor of this type. Callers state D and S. */
export const tensorOf = <D extends DType, S extends AnyShape>(
  node: LazyNode,
  index: number,
  type: TensorType,
  symbols: ReadonlyMap<string, SymbolInfo>,
): Tensor<D, S> => new LazyTensor<D, S>(node, index, type, symbols)
