/** @file Sizes as a model file sees them: a number, a named dim, or an expression over dims. */
import type { Dim } from '@quern/artifact'
import { type Index, type SymbolInfo, type Symbols, ix } from '@quern/core-ir'

/** An integer expression over dims, such as `x.shape[0]` after a concat of two dims. */
export interface SizeExpr {
  readonly kind: 'size'
  readonly index: Index
  /** What is known of its dims. */
  readonly symbols?: Symbols
}
export type Size = number | Dim | SizeExpr
export type Sizes = readonly Size[]

/**
 * A symbolic dimension: one name is one value per run.
 * @param bounds `min` (default 1), `max` (default none), `multipleOf` (default 1); checked when the model runs.
 */
export const dim = <const N extends string>(
  name: N,
  bounds: { readonly min?: number; readonly max?: number; readonly multipleOf?: number } = {},
): Dim<N> => ({ kind: 'dim', name, min: bounds.min ?? 1, max: bounds.max, multipleOf: bounds.multipleOf ?? 1 })

export const toIndex = (size: Size): Index =>
  typeof size === 'number' ? ix.constant(size) : size.kind === 'dim' ? ix.variable(size.name) : size.index

export const fromIndex = (index: Index, symbols: Symbols): Size => {
  if (ix.isConst(index)) return index.value
  const symbol = index.kind === 'var' ? symbols.get(index.name) : undefined
  return symbol === undefined
    ? { kind: 'size', index, symbols }
    : { kind: 'dim', name: symbol.name, min: symbol.min, max: symbol.max, multipleOf: symbol.multipleOf }
}

/** What a size tells of its dims. */
export const symbolsOf = (size: Size | undefined): Symbols =>
  size === undefined || typeof size === 'number'
    ? new Map()
    : size.kind === 'dim'
      ? new Map([[size.name, symbolOf(size)]])
      : (size.symbols ?? new Map())

export const symbolOf = (d: Dim): SymbolInfo => ({ name: d.name, min: d.min, max: d.max, multipleOf: d.multipleOf })
