/** @file What is known of symbols, as ranges that index expressions are simplified with. */
import { type Index, type IndexLike, isConst, mapAtoms, mul, sub, variable } from '../index/index-expr.ts'
import { type Range, type Ranges, simplify } from '../index/range.ts'
import type { SymbolInfo, Symbols } from './graph.ts'
import type { Demand } from '../index/demand.ts'

export const symbolRange = (s: SymbolInfo): Range => ({ min: s.min, max: s.max ?? Infinity })
export const symbolRanges = (symbols: Symbols): Ranges =>
  new Map([...symbols].map(([name, s]) => [name, symbolRange(s)]))

/** The values that both allow, of one symbol that two places know. */
export const narrowed = (a: SymbolInfo, b: Pick<SymbolInfo, 'min' | 'max'>): SymbolInfo => {
  const max = Math.min(a.max ?? Infinity, b.max ?? Infinity)
  return { ...a, min: Math.max(a.min, b.min), max: Number.isFinite(max) ? max : undefined }
}

/** The tables as one; where several know a symbol, it takes the values that all of them allow. */
export const mergeSymbols = (...tables: readonly Symbols[]): Map<string, SymbolInfo> => {
  const all = new Map<string, SymbolInfo>()
  for (const table of tables)
    for (const [name, symbol] of table) {
      const before = all.get(name)
      all.set(name, before === undefined ? symbol : narrowed(before, symbol))
    }
  return all
}

/**
 * The symbols narrowed so that the demands hold. undefined where a symbol has none of the values that are left, or an op
 * defines it at run time, when it is too late to refuse.
 */
export const meetDemands = (demands: readonly Demand[], symbols: Symbols): readonly SymbolInfo[] | undefined => {
  const met = new Map<string, SymbolInfo>()
  for (const { symbol: name, range } of demands) {
    const before = met.get(name) ?? symbols.get(name)
    if (before === undefined || before.upper !== undefined) return undefined
    const { multipleOf: m } = before
    const after = narrowed(before, { min: range.min, max: Number.isFinite(range.max) ? range.max : undefined })
    if (Math.ceil(after.min / m) * m > (after.max ?? Infinity)) return undefined
    met.set(name, after)
  }
  return [...met.values()]
}

/** Whether the two are equal for every value of the symbols, as far as can be shown. */
export const provesEqual = (a: IndexLike, b: IndexLike, symbols: Symbols): boolean => {
  const gap = sub(a, b)
  return isConst(simplify(gap, symbolRanges(symbols)), 0) || isConst(simplifyByFactors(gap, symbols), 0)
}

/** A symbol that is a multiple of m becomes m times another one, so that m divides out. */
const simplifyByFactors = (x: Index, symbols: Symbols): Index => {
  const ranges = new Map(symbolRanges(symbols))
  const replaced = mapAtoms(x, atom => {
    const symbol = atom.kind === 'var' ? symbols.get(atom.name) : undefined
    if (symbol === undefined || symbol.multipleOf <= 1) return undefined
    const { name, min, max, multipleOf: m } = symbol
    const quotient = `${name}/${m}`
    ranges.set(quotient, { min: Math.ceil(min / m), max: Math.floor((max ?? Infinity) / m) })
    return mul(m, variable(quotient))
  })
  return simplify(replaced, ranges)
}
