/**
 * @file The text form of scalar expressions: `relu_in[i] * 2.0 + f32(i32[i])`. Parsed by text/parse-scalar.ts.
 * A float literal is f32 and an integer literal i32; other dtypes are written behind: `0:i64`. The dtype of a load or a
 * name is left out where `dtypeOf` knows it.
 */
import type { DType } from '@quern/artifact'
import { printIndex } from '../index/print.ts'
import { printName } from '../text/names.ts'
import type { BinaryOp } from './scalar-ops.ts'
import type { Scalar } from './scalar.ts'

export type DTypeOf = (name: string) => DType | undefined

/** Ops that print between their operands, by how strongly they bind. The others print as calls. */
export const infix = {
  eq: ['==', 1],
  ne: ['!=', 1],
  lt: ['<', 1],
  le: ['<=', 1],
  gt: ['>', 1],
  ge: ['>=', 1],
  add: ['+', 2],
  sub: ['-', 2],
  mul: ['*', 3],
  div: ['/', 3],
} as const satisfies Partial<Record<BinaryOp, readonly [string, Level]>>
export type InfixOp = keyof typeof infix
/** 0 anything, 1 comparison, 2 sum, 3 product, 4 operand. */
type Level = 0 | 1 | 2 | 3 | 4
const tighter = { 1: 2, 2: 3, 3: 4 } as const

const isInfix = (op: BinaryOp): op is InfixOp => op in infix

export const printScalar = (x: Scalar, dtypeOf: DTypeOf = () => undefined): string => print(x, dtypeOf, 0)

export const printIndices = (indices: readonly Parameters<typeof printIndex>[0][], dtypeOf?: DTypeOf): string =>
  `[${indices.map(i => printIndex(i, s => printScalar(s, dtypeOf))).join(', ')}]`

const print = (x: Scalar, dtypeOf: DTypeOf, level: Level): string => {
  const go = (y: Scalar, at: Level = 0): string => print(y, dtypeOf, at)
  const typed = (text: string, known: DType | undefined): string => (known === x.dtype ? text : `${text}:${x.dtype}`)
  switch (x.kind) {
    case 'const':
      return printLiteral(x.value, x.dtype)
    case 'index':
      return `${x.dtype}[${printIndex(x.index, s => printScalar(s, dtypeOf))}]`
    case 'load': {
      const access = typed(`${printName(x.buffer)}${printIndices(x.indices, dtypeOf)}`, dtypeOf(x.buffer))
      return x.guard === undefined || x.fill === undefined ? access : `(${go(x.guard)} ? ${access} : ${go(x.fill)})`
    }
    case 'ref':
      return typed(printName(x.name), dtypeOf(x.name))
    case 'unary':
      return `${x.op}(${go(x.operand)})`
    case 'binary': {
      if (!isInfix(x.op)) return `${x.op}(${go(x.lhs)}, ${go(x.rhs)})`
      const [sign, own] = infix[x.op]
      // Comparisons do not chain; sums and products lean left.
      const text = `${go(x.lhs, own === 1 ? 2 : own)} ${sign} ${go(x.rhs, tighter[own])}`
      return own < level ? `(${text})` : text
    }
    case 'select':
      return `select(${go(x.condition)}, ${go(x.then)}, ${go(x.otherwise)})`
    case 'cast':
      return `${x.dtype}(${go(x.operand)})`
    case 'bitcast':
      return `bitcast<${x.dtype}>(${go(x.operand)})`
    case 'intrinsic':
      return `${printName(x.name)}!(${x.args.map(a => go(a)).join(', ')}):${x.dtype}`
    case 'reduce': {
      const axes = x.axes.map(a => `${printName(a.name)} < ${printIndex(a.extent, s => printScalar(s, dtypeOf))}`)
      return typed(`reduce<${x.reducer}>(${axes.join(', ')}; ${go(x.body)})`, x.body.dtype)
    }
  }
}

export const printNumber = (value: number): string => {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  return Object.is(value, -0) ? '-0' : `${value}`
}

const printLiteral = (value: number | bigint, dtype: DType): string => {
  if (dtype === 'bool' && (value === 0 || value === 1)) return value === 1 ? 'true' : 'false'
  const text = typeof value === 'bigint' ? `${value}` : printNumber(value)
  const looksInteger = /^-?\d+$/.test(text)
  if (dtype === 'f32') return looksInteger ? `${text}.0` : text
  return dtype === 'i32' && looksInteger ? text : `${text}:${dtype}`
}
