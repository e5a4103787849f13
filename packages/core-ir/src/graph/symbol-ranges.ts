/** @file What is known of symbols, as ranges that index expressions are simplified with. */
import { type Index, type IndexLike, isConst, mapAtoms, mul, sub, variable } from '../index/index-expr.ts'
import { type Range, type Ranges, simplify } from '../index/range.ts'
import type { SymbolInfo, Symbols } from './graph.ts'

export const symbolRange = (s: SymbolInfo): Range => ({ min: s.min, max: s.max ?? Infinity })
export const symbolRanges = (symbols: Symbols): Ranges =>
  new Map([...symbols].map(([name, s]) => [name, symbolRange(s)]))

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
