/** @file Parses index expressions: the inverse of index/print.ts. */
import {
  type Index,
  add,
  constant,
  floorDiv,
  fromScalar,
  max,
  min,
  mod,
  mul,
  sub,
  variable,
} from '../index/index-expr.ts'
import { type Cursor, parseAll } from './cursor.ts'
import { type ScalarScope, parseScalarAt } from './parse-scalar.ts'

/** Parses a whole text; `scope` gives the dtypes of names inside `value(…)`. */
export const parseIndex = (text: string, scope?: ScalarScope): Index => parseAll(text, c => parseIndexAt(c, scope))

export const parseIndexAt = (c: Cursor, scope?: ScalarScope): Index => {
  let left = term(c, scope)
  for (;;) {
    if (c.accept('+')) left = add(left, term(c, scope))
    else if (c.accept('-')) left = sub(left, term(c, scope))
    else return left
  }
}

const operators = { '*': mul, '//': floorDiv, '%': mod } as const

const term = (c: Cursor, scope: ScalarScope | undefined): Index => {
  if (c.accept('-')) return mul(-1, term(c, scope))
  let left = operand(c, scope)
  for (;;) {
    const token = c.peek()
    const sign = (['*', '//', '%'] as const).find(s => c.is(s))
    if (sign === undefined) return left
    c.next()
    const right = operand(c, scope)
    left = c.located(token, () => operators[sign](left, right))
  }
}

const operand = (c: Cursor, scope: ScalarScope | undefined): Index => {
  const token = c.peek()
  if (token.kind === 'number') return c.located(token, () => constant(c.number()))
  if (c.accept('(')) {
    const inner = parseIndexAt(c, scope)
    c.expect(')')
    return inner
  }
  if (c.is('(', 1) && (c.is('min') || c.is('max'))) {
    const make = c.next().text === 'min' ? min : max
    c.expect('(')
    const lhs = parseIndexAt(c, scope)
    c.expect(',')
    const rhs = parseIndexAt(c, scope)
    c.expect(')')
    return make(lhs, rhs)
  }
  if (c.is('(', 1) && c.accept('value')) {
    c.expect('(')
    const scalar = parseScalarAt(c, scope)
    c.expect(')')
    return fromScalar(scalar)
  }
  return variable(c.name('an index'))
}

/** `[2*n,3]` */
export const parseShape = (c: Cursor, scope?: ScalarScope): Index[] => {
  c.expect('[')
  return c.list(']', () => parseIndexAt(c, scope))
}
