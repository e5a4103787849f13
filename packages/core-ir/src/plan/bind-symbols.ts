/** @file The values of a plan's symbols, from the shapes of its inputs. */
import { type DType, QuernError } from '@quern/artifact'
import type { SymbolInfo } from '../graph/graph.ts'
import type { HostTensor } from '../host-tensor.ts'
import { type Index, evaluateIndex } from '../index/index-expr.ts'
import { isBound, solveDims } from '../index/solve.ts'
import { printShape } from '../graph/print-type.ts'

export interface BoundInput {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly Index[]
  readonly tensor: HostTensor | undefined
}

/**
 * Solves the inputs' dims for the symbols, and checks dtypes, ranks, bounds and every dim. Symbols that a run defines itself
 * begin at their upper bound, which is what memory takes for them.
 */
export const bindSymbols = (symbols: readonly SymbolInfo[], inputs: readonly BoundInput[]): Map<string, number> => {
  const bound = new Map<string, number>()
  const pairs: { readonly input: BoundInput; readonly dim: Index; readonly size: number }[] = []
  for (const input of inputs) {
    const { tensor, name } = input
    if (tensor === undefined)
      throw new QuernError('plan/missing-input', `the input ${name} is missing`, { input: name })
    if (tensor.dtype !== input.dtype || tensor.shape.length !== input.shape.length) throw mismatch(input, tensor)
    input.shape.forEach((dim, i) => pairs.push({ input, dim, size: tensor.shape[i] ?? 0 }))
  }
  solveDims(pairs, bound)
  for (const symbol of symbols) {
    const { name, min, max, multipleOf } = symbol
    if (symbol.upper !== undefined && !bound.has(name)) bound.set(name, evaluateIndex(symbol.upper, bound))
    const value = bound.get(name)
    if (
      value !== undefined &&
      symbol.upper === undefined &&
      (value < min || value > (max ?? Infinity) || value % multipleOf !== 0)
    )
      throw new QuernError(
        'plan/symbol-out-of-bounds',
        `${name} is ${value}; it must be ${min} or more${max === undefined ? '' : `, at most ${max}`}${multipleOf === 1 ? '' : `, and a multiple of ${multipleOf}`}`,
        { symbol: name, value },
      )
  }
  for (const { input, dim, size } of pairs)
    if (isBound(dim, bound) && evaluateIndex(dim, bound) !== size && input.tensor !== undefined)
      throw mismatch(input, input.tensor)
  return bound
}

const mismatch = (input: BoundInput, tensor: HostTensor): QuernError =>
  new QuernError(
    'plan/wrong-input',
    `the input ${input.name} is ${input.dtype}${printShape(input.shape)}, and ${tensor.dtype}[${tensor.shape.join(',')}] was given`,
    { input: input.name, dtype: tensor.dtype, shape: [...tensor.shape] },
  )
