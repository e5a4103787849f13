/** @file The text form of index expressions: `2*n + i0 // 4 + 3`. Parsed by text/parse-index.ts. */
import type { Index, Term } from './index-expr.ts'
import type { Scalar } from '../scalar/scalar.ts'
import { printScalar } from '../scalar/print.ts'
import { printName } from '../text/names.ts'

/** Prints an index; `scalar` prints the data inside a `value` atom. */
export const printIndex = (x: Index, scalar: (s: Scalar) => string = s => printScalar(s)): string => print(x, scalar, 0)

/** Precedence: 0 sum, 1 product, 2 atom. */
const print = (x: Index, scalar: (s: Scalar) => string, level: 0 | 1 | 2): string => {
  switch (x.kind) {
    case 'const':
      return level > 0 && x.value < 0 ? `(${x.value})` : `${x.value}`
    case 'var':
      return printName(x.name)
    case 'value':
      return `value(${scalar(x.scalar)})`
    case 'min':
    case 'max':
      return `${x.kind}(${print(x.lhs, scalar, 0)}, ${print(x.rhs, scalar, 0)})`
    case 'div':
    case 'mod': {
      const text = `${print(x.num, scalar, 2)} ${x.kind === 'div' ? '//' : '%'} ${print(x.den, scalar, 2)}`
      return level > 0 ? `(${text})` : text
    }
    case 'sum': {
      const parts = x.terms.map((t, i) => printTerm(t, scalar, i === 0))
      if (x.offset !== 0) parts.push(x.offset < 0 ? ` - ${-x.offset}` : ` + ${x.offset}`)
      const text = parts.join('')
      const single = x.terms.length === 1 && x.offset === 0 && (x.terms[0]?.coef ?? 1) > 0
      return level === 2 || (level === 1 && !single) ? `(${text})` : text
    }
  }
}

const printTerm = (t: Term, scalar: (s: Scalar) => string, first: boolean): string => {
  const size = Math.abs(t.coef)
  const factors = t.factors.map(f => print(f, scalar, 2))
  const body = size === 1 && factors.length > 0 ? factors.join('*') : [size, ...factors].join('*')
  return first ? (t.coef < 0 ? `-${body}` : body) : t.coef < 0 ? ` - ${body}` : ` + ${body}`
}
