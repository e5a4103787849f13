/** @file Values of the manifest's integer expressions, for tools that run an artifact's code at build. */
import type { Expr } from '@quern/artifact'

/** An unbound symbol gives NaN. */
export const evaluateExpr = (e: Expr, symbols: Readonly<Record<string, number>>): number => {
  if (typeof e === 'number') return e
  if (typeof e === 'string') return (Object.hasOwn(symbols, e) ? symbols[e] : undefined) ?? Number.NaN
  const [op, ...rest] = e
  return rest
    .map(x => evaluateExpr(x, symbols))
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
        case 'min':
        case 'max':
          return Math[op](a, b)
      }
    })
}
