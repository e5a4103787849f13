/**
 * @file A tensor of the authoring language: a lazy expression. Nothing is computed; `model()` walks the expressions from
 * its outputs and builds a graph. Types are inferred and constraints checked when the expression is made, at the user's line.
 */
import type { DType } from '@quern/artifact'
import {
  type AttrValue,
  type ConstantData,
  type Index,
  type InferContext,
  type Span,
  type StateDecl,
  type SymbolInfo,
  type TensorType,
  defineSymbol,
  inferNode,
  mergeSymbols,
  provesEqual,
} from '@quern/core-ir'
import type { ByteSource } from '@quern/core-ir'
import { currentOrigin } from './origin.ts'
import { freshName } from './rename-symbols.ts'
import type { AnyShape } from './shape-types.ts'
import { fromIndex } from './size.ts'

/** A body of `if`, `loop` or `scan`: parameters and results as lazy expressions; captures are found when the graph is built. */
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

/** The one place where the editor's types and the inferred ones meet: callers state D and S by the op's shape rule. */
export const makeTensor = <D extends DType, S extends AnyShape>(
  node: LazyNode,
  index: number,
  type: TensorType,
  symbols: ReadonlyMap<string, SymbolInfo>,
): Tensor<D, S> => ({
  kind: 'tensor',
  dtype: type.dtype as D,
  type,
  node,
  index,
  symbols,
  shape: type.shape.map(i => fromIndex(i, symbols)) as unknown as S,
})

export const isTensor = (x: unknown): x is AnyTensor =>
  typeof x === 'object' && x !== null && (x as { kind?: unknown }).kind === 'tensor'

/**
 * Applies an op to tensors: infers, checks, and returns one tensor a result.
 * @param known symbols that the attributes mention, where no operand does
 */
export const applyAll = (
  op: string,
  operands: readonly (AnyTensor | undefined)[],
  attrs: Readonly<Record<string, AttrValue | LazyBody>> = {},
  known: ReadonlyMap<string, SymbolInfo> = new Map(),
): readonly AnyTensor[] => {
  const bodies = Object.values(attrs).filter(isBody)
  const symbols = mergeSymbols(known, ...operands.map(t => t?.symbols ?? new Map()), ...bodies.map(boundsWithin))
  const context: InferContext = {
    symbols,
    equal: (a, b) => provesEqual(a, b, symbols),
    define: (hint: string, upper: Index) => defineSymbol(symbols, freshName(hint), upper),
    narrow: symbol => symbols.set(symbol.name, symbol),
  }
  const origin = currentOrigin()
  const infos = operands.map(t => t && { type: t.type, name: nameOf(t), node: { origin: t.node.origin } })
  const plain: Record<string, AttrValue> = {}
  for (const [name, value] of Object.entries(attrs)) plain[name] = isBody(value) ? bodySignature(value, symbols) : value
  const { attrs: full, types } = inferNode(op, infos, plain, context, origin)
  const node: LazyNode = {
    kind: 'op',
    op,
    operands,
    types,
    origin,
    attrs: { ...full, ...Object.fromEntries(Object.entries(attrs).filter(([, v]) => isBody(v))) },
  }
  return types.map((type, index) => makeTensor(node, index, type, symbols))
}

/** Applies an op of one result. */
export const apply = <D extends DType, S extends AnyShape>(
  op: string,
  operands: readonly (AnyTensor | undefined)[],
  attrs: Readonly<Record<string, AttrValue | LazyBody>> = {},
  known?: ReadonlyMap<string, SymbolInfo>,
): Tensor<D, S> => {
  const [first] = applyAll(op, operands, attrs, known)
  if (first === undefined) throw new Error(`${op} has no result`)
  return first as Tensor<D, S>
}

const isBody = (x: AttrValue | LazyBody): x is LazyBody =>
  typeof x === 'object' && x !== null && 'kind' in x && x.kind === 'body'

/** What a body needs of symbols that callers bind. */
const boundsWithin = ({ results }: LazyBody): ReadonlyMap<string, SymbolInfo> =>
  new Map(
    [...mergeSymbols(...Object.values(results).map(t => t.symbols))].filter(([, symbol]) => symbol.upper === undefined),
  )

/** A body as inference needs it: a graph with the right input and output types and no nodes. */
const bodySignature = (body: LazyBody, symbols: ReadonlyMap<string, SymbolInfo>): AttrValue => ({
  kind: 'graph',
  name: body.name,
  nodes: [],
  symbols,
  inputs: body.parameters.map(({ name, tensor }, index) => ({
    name,
    value: { type: tensor.type, node: undefined, index, name },
  })),
  outputs: Object.entries(body.results).map(([name, t], index) => ({
    name,
    value: { type: t.type, node: undefined, index, name },
  })),
})

/** The variable a tensor was assigned to, where the instrumentation saw one; for error frames. */
export const nameOf = (t: AnyTensor): string | undefined =>
  t.node.kind === 'parameter' ? t.node.name : t.node.kind === 'state' ? t.node.declaration.name : t.node.origin?.name
