/** @file The text form of symbols: `<n: 1..64 by 8, k: 0..4096 upto n*m>`. */
import type { SymbolInfo } from '../graph/graph.ts'
import { printIndex } from '../index/print.ts'
import type { Cursor } from './cursor.ts'
import { printName } from './names.ts'
import { parseIndexAt } from './parse-index.ts'

export const printSymbol = (s: SymbolInfo): string =>
  `${printRange(s)}${s.multipleOf === 1 ? '' : ` by ${s.multipleOf}`}${s.upper === undefined ? '' : ` upto ${printIndex(s.upper)}`}`

export const printRange = (s: {
  readonly name: string
  readonly min: number
  readonly max: number | undefined
}): string => `${printName(s.name)}: ${s.min}..${s.max ?? ''}`

export const printSymbols = (symbols: Iterable<SymbolInfo>): string => {
  const all = [...symbols].map(printSymbol)
  return all.length === 0 ? '' : `<${all.join(', ')}>`
}

/** The list in angle brackets; empty where there is none. */
export const parseSymbols = (c: Cursor): SymbolInfo[] => (c.accept('<') ? c.list('>', () => parseSymbol(c)) : [])

const parseSymbol = (c: Cursor): SymbolInfo => {
  const range = parseRange(c)
  const multipleOf = c.accept('by') ? c.integer() : 1
  const upper = c.accept('upto') ? parseIndexAt(c) : undefined
  return { ...range, multipleOf, ...(upper !== undefined && { upper }) }
}

export const parseRange = (c: Cursor): { name: string; min: number; max: number | undefined } => {
  const name = c.name('a symbol')
  c.expect(':')
  const min = c.integer()
  c.expect('..')
  const bounded = c.peek().kind === 'number' || c.is('-')
  return { name, min, max: bounded ? c.integer() : undefined }
}
