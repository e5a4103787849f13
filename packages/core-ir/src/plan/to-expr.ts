/** @file Index expressions over symbols as the artifact's `Expr`: what the runtime evaluates. */
import { type Expr, QuernError } from '@quern/artifact'
import type { Index, Term } from '../index/index-expr.ts'

/** An index as a manifest expression. Data has no place in one: a `value` atom is a defect of the plan. */
export const toExpr = (x: Index): Expr => {
  switch (x.kind) {
    case 'const':
      return x.value
    case 'var':
      return x.name
    case 'div':
      return ['/', toExpr(x.num), toExpr(x.den)]
    case 'mod':
      return ['%', toExpr(x.num), toExpr(x.den)]
    case 'min':
    case 'max':
      return [x.kind, toExpr(x.lhs), toExpr(x.rhs)]
    case 'sum': {
      const parts = x.terms.map(term)
      if (x.offset !== 0) parts.push(x.offset)
      const [only] = parts
      return parts.length === 1 && only !== undefined ? only : ['+', ...parts]
    }
    case 'value':
      throw new QuernError('plan/size-from-data', `a size or a count depends on data: ${x.key}`, { index: x.key })
  }
}

const term = (t: Term): Expr => {
  const factors = t.factors.map(toExpr)
  const all: Expr[] = t.coef === 1 ? factors : [t.coef, ...factors]
  const [only] = all
  return all.length === 1 && only !== undefined ? only : ['*', ...all]
}
