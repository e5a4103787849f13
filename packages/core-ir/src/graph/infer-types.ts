/** @file Infers a node's types anew, and relates the symbols that the op defines to those that stated types name. */
import { mapAtoms, variable } from '../index/index-expr.ts'
import type { GraphContext } from '../ops/define-op.ts'
import { type OperandInfo, defineSymbol, inferNode, provesEqual } from './builder.ts'
import type { Attrs, SymbolInfo, Symbols, TensorType } from './graph.ts'

export interface Inferred {
  readonly attrs: Attrs
  readonly types: readonly TensorType[]
  /** Symbols that the op defines, under names of their own. */
  readonly defined: readonly SymbolInfo[]
  /** Symbols with the bounds that the op needs, where the graph allows more. */
  readonly narrowed: readonly SymbolInfo[]
}

export const inferAnew = (
  op: string,
  operands: readonly (OperandInfo | undefined)[],
  attrs: Attrs,
  symbols: Symbols,
): Inferred => {
  const all = new Map(symbols)
  const defined: SymbolInfo[] = []
  const narrowed = new Map<string, SymbolInfo>()
  const context: GraphContext = {
    symbols: all,
    equal: (a: Parameters<typeof provesEqual>[0], b: Parameters<typeof provesEqual>[1]) => provesEqual(a, b, all),
    define: (hint: string, upper: Parameters<typeof defineSymbol>[2]): SymbolInfo => {
      const symbol = defineSymbol(all, hint, upper)
      defined.push(symbol)
      return symbol
    },
    narrow: (symbol: SymbolInfo): void => {
      const before = all.get(symbol.name)
      if (before?.min === symbol.min && before.max === symbol.max) return
      all.set(symbol.name, symbol)
      narrowed.set(symbol.name, symbol)
    },
  }
  return { ...inferNode(op, operands, attrs, context, undefined), defined, narrowed: [...narrowed.values()] }
}

/**
 * Renames the defined symbols to those that `stated` has in their place. A defined symbol that no stated type shows keeps
 * its own name.
 */
export const renameDefined = (inferred: Inferred, stated: readonly TensorType[]): Inferred => {
  const renamed = new Map<string, string>()
  inferred.types.forEach((type, t) =>
    type.shape.forEach((dim, d) => {
      const found = stated[t]?.shape[d]
      if (dim.kind !== 'var' || found?.kind !== 'var') return
      if (inferred.defined.some(s => s.name === dim.name)) renamed.set(dim.name, found.name)
    }),
  )
  const nameOf = (name: string): string => renamed.get(name) ?? name
  return {
    attrs: inferred.attrs,
    narrowed: inferred.narrowed,
    types: inferred.types.map(t => ({
      dtype: t.dtype,
      shape: t.shape.map(d => mapAtoms(d, a => (a.kind === 'var' ? variable(nameOf(a.name)) : undefined))),
    })),
    defined: inferred.defined.map(s => ({ ...s, name: nameOf(s.name) })),
  }
}
