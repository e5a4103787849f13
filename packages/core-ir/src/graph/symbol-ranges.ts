/** @file What is known of symbols, as ranges that index expressions are simplified with. */
import { type IndexLike, isConst, sub } from '../index/index-expr.ts'
import { type Range, type Ranges, simplify } from '../index/range.ts'
import type { SymbolInfo, Symbols } from './graph.ts'

export const symbolRange = (s: SymbolInfo): Range => ({ min: s.min, max: s.max ?? Infinity })
export const symbolRanges = (symbols: Symbols): Ranges =>
  new Map([...symbols].map(([name, s]) => [name, symbolRange(s)]))

export const provesEqual = (a: IndexLike, b: IndexLike, symbols: Symbols): boolean =>
  isConst(simplify(sub(a, b), symbolRanges(symbols)), 0)
