/** @file Parses scalar expressions: the inverse of scalar/print.ts. */
import type { DType } from '@quern/artifact'
import { type InfixOp, infix } from '../scalar/print.ts'
import { type BinaryOp, type UnaryOp, binaryOps, unaryOps } from '../scalar/scalar-ops.ts'
import {
  type ReduceAxis,
  type Scalar,
  binary,
  bitcast,
  cast,
  indexScalar,
  intrinsic,
  literal,
  load,
  reduce,
  reducers,
  ref,
  select,
  unary,
} from '../scalar/scalar.ts'
import { type Cursor, parseAll } from './cursor.ts'
import { parseIndexAt, parseShape } from './parse-index.ts'

/** The dtypes of buffers and of names bound by `let`. Unknown ones must be written out: `x[i]:f32`. */
export type ScalarScope = (name: string) => DType | undefined

const unknown: ScalarScope = () => undefined

export const parseScalar = (text: string, scope?: ScalarScope): Scalar => parseAll(text, c => parseScalarAt(c, scope))

export const parseScalarAt = (c: Cursor, scope: ScalarScope = unknown): Scalar => {
  const left = level(c, scope, 2)
  const found = signs.get(c.peek().text)
  return found?.level === 1 && c.peek().kind === 'punctuation' ? apply(c, scope, found, left, 2) : left
}

const signs = new Map(
  Object.entries(infix).map(([op, [sign, at]]) => [sign as string, { op: op as InfixOp, level: at as 1 | 2 | 3 }]),
)

const level = (c: Cursor, scope: ScalarScope, at: 2 | 3 | 4): Scalar => {
  if (at === 4) return operand(c, scope)
  const tighter = at === 2 ? 3 : 4
  let left = level(c, scope, tighter)
  for (;;) {
    const found = c.peek().kind === 'punctuation' ? signs.get(c.peek().text) : undefined
    if (found?.level !== at) return left
    left = apply(c, scope, found, left, tighter)
  }
}

const apply = (c: Cursor, scope: ScalarScope, { op }: { op: InfixOp }, lhs: Scalar, right: 2 | 3 | 4): Scalar => {
  const sign = c.next()
  const rhs = level(c, scope, right)
  return c.located(sign, () => binary(op, lhs, rhs))
}

const operand = (c: Cursor, scope: ScalarScope): Scalar => {
  const token = c.peek()
  if (token.kind === 'number' || c.is('-') || ((c.is('inf') || c.is('nan')) && !c.is('[', 1))) return number(c)
  if (c.is('true') || c.is('false')) return literal(c.next().text === 'true', 'bool')
  if (c.accept('(')) return parenthesised(c, scope)
  if (c.isDType()) {
    const dtype = c.dtype()
    if (c.accept('[')) {
      if (dtype !== 'i32' && dtype !== 'i64') throw c.error(`an index is i32 or i64, not ${dtype}`, token)
      const index = parseIndexAt(c, scope)
      c.expect(']')
      return indexScalar(index, dtype)
    }
    c.expect('(')
    const inner = parseScalarAt(c, scope)
    c.expect(')')
    return cast(inner, dtype)
  }
  if (c.is('<', 1) && c.accept('bitcast')) {
    c.expect('<')
    const dtype = c.dtype()
    c.expect('>')
    c.expect('(')
    const inner = parseScalarAt(c, scope)
    c.expect(')')
    return bitcast(inner, dtype)
  }
  if (c.is('<', 1) && c.accept('reduce')) return reduction(c, scope)
  if (token.kind === 'word' && c.is('(', 1)) return call(c, scope)
  return named(c, scope)
}

const number = (c: Cursor): Scalar => {
  const negative = c.accept('-')
  const token = c.peek()
  const value = c.number()
  const dtype = c.dtypeSuffix()
  const sign = negative ? '-' : ''
  if ((dtype === 'i64' || dtype === 'u64') && token.kind === 'number')
    return c.located(token, () => literal(BigInt(`${sign}${token.text}`), dtype))
  const integer = /^\d+$/.test(token.text)
  return literal(negative ? -value : value, dtype ?? (integer ? 'i32' : 'f32'))
}

/** Behind `(`: an expression in parentheses, or a guarded load. */
const parenthesised = (c: Cursor, scope: ScalarScope): Scalar => {
  const inner = parseScalarAt(c, scope)
  if (!c.accept('?')) {
    c.expect(')')
    return inner
  }
  const token = c.peek()
  const access = named(c, scope)
  if (access.kind !== 'load') throw c.error('only a load can be guarded', token)
  c.expect(':')
  const fill = parseScalarAt(c, scope)
  c.expect(')')
  return load(access.buffer, access.dtype, access.indices, { guard: inner, fill })
}

const reduction = (c: Cursor, scope: ScalarScope): Scalar => {
  c.expect('<')
  const reducer = c.oneOf(reducers, 'a reducer')
  c.expect('>')
  c.expect('(')
  const axes = c.list(';', (): ReduceAxis => {
    const name = c.name('an axis')
    c.expect('<')
    return { name, extent: parseIndexAt(c, scope) }
  })
  const body = parseScalarAt(c, scope)
  c.expect(')')
  return reduce(reducer, axes, body, c.dtypeSuffix() ?? body.dtype)
}

const call = (c: Cursor, scope: ScalarScope): Scalar => {
  const name = c.next()
  c.expect('(')
  const args = c.list(')', () => parseScalarAt(c, scope))
  const [x, y, z] = args
  return c.located(name, () => {
    if (isUnary(name.text) && x !== undefined && args.length === 1) return unary(name.text, x)
    if (isBinary(name.text) && x !== undefined && y !== undefined && args.length === 2) return binary(name.text, x, y)
    if (name.text === 'select' && x !== undefined && y !== undefined && z !== undefined && args.length === 3)
      return select(x, y, z)
    throw new TypeError(`no scalar operation ${name.text} takes ${args.length} operands`)
  })
}
const isUnary = (name: string): name is UnaryOp => Object.hasOwn(unaryOps, name)
const isBinary = (name: string): name is BinaryOp => Object.hasOwn(binaryOps, name)

/** An intrinsic, a load or a bound name. */
const named = (c: Cursor, scope: ScalarScope): Scalar => {
  const token = c.peek()
  const name = c.name('a scalar')
  if (c.is('!') && c.touches()) {
    c.next()
    c.expect('(')
    const args = c.list(')', () => parseScalarAt(c, scope))
    return intrinsic(name, known(c, c.dtypeSuffix(), `${name}!(…)`, token), args)
  }
  if (c.is('[')) {
    const indices = parseShape(c, scope)
    return load(name, known(c, c.dtypeSuffix() ?? scope(name), name, token), indices)
  }
  return ref(name, known(c, c.dtypeSuffix() ?? scope(name), name, token))
}

const known = (c: Cursor, dtype: DType | undefined, name: string, token: ReturnType<Cursor['peek']>): DType => {
  if (dtype === undefined)
    throw c.error(`${name} is not declared here; write its dtype behind it, as in ${name}:f32`, token)
  return dtype
}
