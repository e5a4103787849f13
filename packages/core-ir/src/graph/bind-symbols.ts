/** @file Finds the values of symbols from the shapes of the inputs, and checks the inputs against a graph. */
import { QuernError } from '@quern/artifact'
import { type HostTensor, elementCount } from '../host-tensor.ts'
import { evaluateIndex } from '../index/index-expr.ts'
import { isBound, solveDims } from '../index/solve.ts'
import type { Graph, SymbolInfo } from './graph.ts'
import { printTensorType } from './print-type.ts'

export type SymbolValues = Map<string, number>

/** The inputs in the graph's order. Adds the symbols that their shapes tell to `symbols`. */
export const bindInputs = (
  graph: Graph,
  inputs: readonly (HostTensor | undefined)[],
  symbols: SymbolValues,
): readonly HostTensor[] => {
  const bound = graph.inputs.map(({ name, value: { type } }, i) => {
    const tensor = inputs[i]
    if (tensor === undefined)
      throw new QuernError('input/missing', `${graph.name} needs the input ${name}: ${printTensorType(type)}`, {
        input: name,
      })
    if (tensor.dtype !== type.dtype)
      throw new QuernError(
        'input/dtype',
        `the input ${name} is ${printTensorType(type)}, and was given ${tensor.dtype}`,
        { input: name, dtype: tensor.dtype },
      )
    if (tensor.shape.length !== type.shape.length)
      throw new QuernError(
        'input/rank',
        `the input ${name} is ${printTensorType(type)}, and was given [${tensor.shape.join(',')}]`,
        { input: name, shape: tensor.shape },
      )
    if (tensor.data.length !== elementCount(tensor.shape))
      throw new QuernError(
        'input/size',
        `the input ${name} has ${tensor.data.length} elements, and [${tensor.shape.join(',')}] has ${elementCount(tensor.shape)}`,
        { input: name, shape: tensor.shape },
      )
    return { name, type, tensor }
  })
  solveDims(
    bound.flatMap(({ type, tensor }) => type.shape.map((dim, i) => ({ dim, size: tensor.shape[i] ?? 0 }))),
    symbols,
  )
  for (const { name, type, tensor } of bound)
    type.shape.forEach((d, i) => {
      const found = tensor.shape[i],
        wanted = isBound(d, symbols) ? evaluateIndex(d, symbols) : undefined
      if (found !== wanted)
        throw new QuernError(
          d.kind === 'const' ? 'input/size' : 'dim/conflict',
          `dim ${i} of the input ${name}: ${printTensorType(type)} is ${wanted ?? 'not a size that any symbols give'}, and was given ${found}`,
          { input: name, dim: i, wanted, found },
        )
    })
  for (const symbol of graph.symbols.values()) checkBounds(symbol, symbols.get(symbol.name))
  return bound.map(x => x.tensor)
}

const checkBounds = ({ name, min, max, multipleOf, upper }: SymbolInfo, value: number | undefined): void => {
  // Those that an op defines come later, and are bounded by it.
  if (value === undefined || upper !== undefined) return
  if (value < min || value > (max ?? Infinity) || value % multipleOf !== 0)
    throw new QuernError(
      'dim/out-of-bounds',
      `the dim ${name} is ${value}, and the graph allows ${min} to ${max ?? 'any number'}${multipleOf > 1 ? `, a multiple of ${multipleOf}` : ''}`,
      { dim: name, value, min, max: max ?? null, multipleOf },
    )
}
