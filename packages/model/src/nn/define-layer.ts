/**
 * @file What a layer is: a function over tensors with constraints of its own, named and worded as its author knows them. The
 * ops it is made of have theirs, which would speak of operands that the author never wrote.
 */
import type { DType } from '@quern/artifact'
import {
  type Constraint,
  type IndexLike,
  type Operands,
  type TensorType,
  checkConstraints,
  defineSymbol,
  inWords,
  mergeSymbols,
  printIndex,
  printTensorType,
  provesEqual,
} from '@quern/core-ir'
import { checkTensor, refuse } from '../arguments.ts'
import { currentOrigin } from '../origin.ts'
import { type AnyTensor, isTensor, nameOf } from '../tensor.ts'

export interface Layer<N extends readonly string[] = readonly string[], A = unknown> {
  /** As the author calls it; the first half of its error codes. */
  readonly name: string
  readonly doc: string
  /** `'x'`, `'bias?'`: what its errors call the tensors. */
  readonly operands: N
  readonly constraints: readonly Constraint<Operands<N, TensorType>, A>[]
}

/** What errors say of a layer. */
export type AnyLayer = Pick<Layer, 'name' | 'operands'>

export const defineLayer =
  <A = unknown>() =>
  <const N extends readonly string[]>(layer: Layer<N, A>): Layer<N, A> =>
    layer

/** Weights come as a record, whose keys are the operands behind the first; it may hold more. */
export const checkWeights = ({ name, operands }: AnyLayer, weights: unknown): void => {
  const [, ...expected] = operands
  const shape = `{ ${expected.map(o => o.replace(/\?$/, '')).join(', ')} }`
  if (typeof weights !== 'object' || weights === null || Array.isArray(weights) || isTensor(weights))
    refuse(
      'model/weights-by-name',
      `${name} takes its weights by name, as ${shape}, and was given ${inWords(weights)}`,
      { op: name },
    )
  const keys = Object.keys(weights as object)
  const known = expected.some(o => keys.includes(o.replace(/\?$/, '')))
  const required = expected.filter(o => !o.endsWith('?')).find(o => !keys.includes(o))
  if (required !== undefined || (keys.length > 0 && !known))
    refuse(
      'model/weights-by-name',
      `${name} takes its weights by name, as ${shape}, and was given ${inWords(weights)}: ${required === undefined ? 'none of these names is there' : `${required} is missing`}`,
      { op: name },
    )
}

/** @throws a coded error in the layer's own words, at the user's line, unless the tensors fit */
export const checkLayer = <N extends readonly string[], A>(
  layer: Layer<N, A>,
  tensors: readonly (AnyTensor | undefined)[],
  attrs: A,
): void => {
  const bound: Record<string, TensorType | undefined> = {}
  layer.operands.forEach((operand, i) => {
    const role = operand.replace(/\?$/, '')
    const t = tensors[i]
    if (t !== undefined || !operand.endsWith('?')) checkTensor(layer.name, role, t)
    bound[role] = t?.type
  })
  const symbols = mergeSymbols(...tensors.flatMap(t => (t === undefined ? [] : [t.symbols])))
  checkConstraints(
    layer,
    bound as Operands<N, TensorType>,
    attrs,
    tensors.map(t => t && { type: t.type, name: nameOf(t), node: { origin: t.node.origin } }),
    {
      symbols,
      equal: (a, b) => provesEqual(a, b, symbols),
      define: (hint, upper) => defineSymbol(symbols, hint, upper),
      narrow: symbol => symbols.set(symbol.name, symbol),
      elements: () => undefined,
    },
    currentOrigin(),
  )
}

export type Types = Readonly<Record<string, TensorType | undefined>>

const words: Readonly<Record<number, string>> = { 0: 'first', 1: 'second', 2: 'third', [-1]: 'last' }
const dimOf = (t: TensorType | undefined, at: number): IndexLike => t?.shape.at(at) ?? -1

/** dim `i` of one operand is dim `j` of another; an operand that is left out agrees with everything. */
export const dimsAgree = (a: string, i: number, b: string, j: number, layout: string): Constraint<Types, unknown> => ({
  id: `${a === 'x' ? b : a}-fits`,
  says: `the ${words[i]} dim of ${a} to equal the ${words[j]} dim of ${b} ${layout}`,
  holds: (types, _, context) =>
    types[a] === undefined || types[b] === undefined || context.equal(dimOf(types[a], i), dimOf(types[b], j)),
  found: types => `${print(dimOf(types[a], i))} is not ${print(dimOf(types[b], j))}`,
})

export const rankIs = (operand: string, rank: number, layout: string): Constraint<Types, unknown> => ({
  id: `${operand}-rank`,
  says: `${operand} to be ${layout}`,
  holds: types => types[operand] === undefined || types[operand].shape.length === rank,
  found: types => `it is ${types[operand] === undefined ? 'nothing' : printTensorType(types[operand])}`,
})

export const sameDTypes = (...operands: readonly string[]): Constraint<Types, unknown> => ({
  id: 'same-dtype',
  says: `${operands.join(', ')} of one dtype`,
  holds: types => new Set(given(types, operands)).size <= 1,
  found: types => `they are ${given(types, operands).join(', ')}: convert one with cast(x, dtype)`,
})

/** [out], or nothing. */
export const biasFits = (out: string): Constraint<Types, unknown> => ({
  id: 'bias-fits',
  says: `bias to be [out], where out is the first dim of ${out}`,
  holds: ({ bias, [out]: other }, _, context) =>
    bias === undefined || (bias.shape.length === 1 && context.equal(dimOf(bias, 0), dimOf(other, 0))),
  found: ({ bias, [out]: other }) => `${bias && printTensorType(bias)} is not [${print(dimOf(other, 0))}]`,
})

/** One number for each element of the last dim of x, or nothing. */
export const fitsLast = (operand: string): Constraint<Types, unknown> => ({
  id: `${operand}-fits`,
  says: `${operand} to be as long as the last dim of x`,
  holds: ({ x, [operand]: t }, _, context) =>
    t === undefined || (t.shape.length === 1 && context.equal(dimOf(t, 0), dimOf(x, -1))),
  found: ({ x, [operand]: t }) => `${t && printTensorType(t)} is not [${print(dimOf(x, -1))}]`,
})

/** At least so many dims. */
export const rankAtLeast = (operand: string, rank: number, advice: string): Constraint<Types, unknown> => ({
  id: `${operand}-rank`,
  says: `${operand} of rank ${rank} or more`,
  holds: types => (types[operand]?.shape.length ?? rank) >= rank,
  found: types => `it is ${types[operand] && printTensorType(types[operand])}${advice}`,
})

export const isFloat = (operand: string): Constraint<Types, unknown> => ({
  id: `${operand}-is-float`,
  says: `${operand} of a float dtype`,
  holds: types => floats.some(f => f === types[operand]?.dtype),
  found: types => `it is ${types[operand]?.dtype}: convert it with cast(${operand}, 'f32')`,
})

const floats: readonly DType[] = ['f32', 'f16', 'f64']
const given = (types: Types, operands: readonly string[]): readonly DType[] =>
  operands.flatMap(o => types[o]?.dtype ?? [])
const print = (d: IndexLike): string => (typeof d === 'number' ? String(d) : printIndex(d))
