/** @file Evaluates the manifest's integer expressions. */
import type { Expr } from '@quern/artifact'
import { own } from './own.ts'

export type SymbolValues = Readonly<Record<string, number>>

export const evaluate = (e: Expr, symbols: SymbolValues): number => {
  if (typeof e === 'number') return e
  if (typeof e === 'string') {
    const value = own(symbols, e)
    if (value === undefined) throw new Error(`dim ${e} has no value`)
    return value
  }
  const [op, ...operands] = e
  return operands
    .map(x => evaluate(x, symbols))
    .reduce((a, b) => {
      switch (op) {
        case '+':
          return a + b
        case '*':
          return a * b
        case '/':
          return Math.floor(a / b)
        case '%':
          return ((a % b) + b) % b
        default:
          return Math[op](a, b)
      }
    })
}
