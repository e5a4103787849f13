/**
 * @file Makes tensors: lazy expressions. Nothing is computed; `model()` walks the expressions from its outputs and builds a
 * graph. Types are inferred and constraints checked when the expression is made, at the user's line.
 */
import { type DType, QuernError, bytesOf } from '@quern/artifact'
import {
  type AttrValue,
  type Index,
  type GraphContext,
  type SymbolInfo,
  type TensorType,
  defineSymbol,
  inferNode,
  ix,
  mergeSymbols,
  opNamed,
  printTensorType,
  provesEqual,
  rangeOf,
  roleOf,
  symbolRanges,
} from '@quern/core-ir'
import { checkTensor, refuse } from './arguments.ts'
import { currentOrigin } from './origin.ts'
import { freshName } from './rename-symbols.ts'
import type { AnyShape } from './shape-types.ts'
import { mostElements } from './size.ts'
import { type AnyTensor, type LazyBody, type LazyNode, type Tensor, nameOf, tensorOf } from './tensor-value.ts'

export { type AnyTensor, type LazyBody, type LazyNode, type Tensor, isTensor, nameOf, noteOf } from './tensor-value.ts'

const gigabytes = (bytes: number): string => `${Number((bytes / 2 ** 30).toPrecision(3)).toLocaleString('en')} GiB`

/** Indices are 32 bits wide on every target. A shape over symbols counts at the least that they may be. */
export const checkSize = (type: TensorType, symbols: ReadonlyMap<string, SymbolInfo>): void => {
  const name = currentOrigin()?.name
  let elements = 1,
    largest = 0
  for (const d of type.shape) {
    const least = ix.isConst(d) ? d.value : Math.max(0, rangeOf(d, symbolRanges(symbols)).min)
    elements *= least
    largest = Math.max(largest, least)
  }
  if (elements <= mostElements && largest <= mostElements) return
  const atLeast = type.shape.every(d => ix.isConst(d)) ? '' : 'at least '
  refuse(
    'shape/too-many-elements',
    `${name === undefined ? '' : `${name}: `}${printTensorType(type)} has ${atLeast}${elements.toLocaleString('en')} elements (${gigabytes(elements * bytesOf[type.dtype])}), and a tensor has at most ${mostElements.toLocaleString('en')}, since indices are 32 bits wide: make a dim smaller, or work on parts`,
    { type: printTensorType(type), elements, most: mostElements },
  )
}

/** One result of a node. */
export const makeTensor = <D extends DType, S extends AnyShape>(
  node: LazyNode,
  index: number,
  type: TensorType,
  symbols: ReadonlyMap<string, SymbolInfo>,
): Tensor<D, S> => {
  checkSize(type, symbols)
  return tensorOf(node, index, type, symbols)
}

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
  const { operands: roles } = opNamed(op)
  operands.forEach((t, i) => {
    const optional = roles[i]?.endsWith('?') === true
    if (t !== undefined || !optional) checkTensor(op, roleOf(roles, i) ?? `operand ${i + 1}`, t)
  })
  const bodies = Object.values(attrs).filter(isBody)
  const symbols = mergeSymbols(known, ...operands.map(t => t?.symbols ?? new Map()), ...bodies.map(boundsWithin))
  const context: GraphContext = {
    symbols,
    equal: (a, b) => provesEqual(a, b, symbols),
    define: (hint: string, upper: Index) => defineSymbol(symbols, freshName(hint), upper),
    narrow: symbol => symbols.set(symbol.name, symbol),
  }
  const origin = currentOrigin()
  const infos = operands.map(t => t && { type: t.type, name: nameOf(t), index: t.index, node: t.node })
  const plain: Record<string, AttrValue> = {}
  for (const [name, value] of Object.entries(attrs)) plain[name] = isBody(value) ? bodySignature(value, symbols) : value
  const { attrs: full, types } = inferred(op, () => inferNode(op, infos, plain, context, origin))
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

/** Sizes are integers that a double holds exactly; attributes may ask for more. */
const inferred = <T>(op: string, infer: () => T): T => {
  try {
    return infer()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new QuernError(
      'shape/too-large',
      `${op} would have sizes that no tensor has (${error.message}): its attributes are too large`,
      { op, origin: currentOrigin() },
      error,
    )
  }
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
