/** @file The spelling of every basic binary op. */
import type { DType } from '@quern/artifact'
import { type BinaryOp, binaryOps, isFloat } from '@quern/core-ir'
import type { Helpers } from './helpers.ts'
import { type Held, type Lanes, typeName } from './types.ts'

export type BasicBinary = {
  [K in BinaryOp]: (typeof binaryOps)[K]['basic'] extends true ? K : never
}[BinaryOp]
export const isBasicBinary = (op: BinaryOp): op is BasicBinary => binaryOps[op].basic

/** Two operands of one WGSL type; their code is free to repeat (a name or a literal) where `atoms` asks for it. */
export interface BinaryOperands {
  readonly a: string
  readonly b: string
  readonly held: Held
  readonly dtype: DType
  readonly lanes: Lanes
  readonly helpers: Helpers
  /** Whether an operand may be NaN; literals and converted integers are not. */
  readonly nan: { readonly a: boolean; readonly b: boolean }
}

const infix =
  (sign: string) =>
  ({ a, b }: BinaryOperands): string =>
    `(${a} ${sign} ${b})`

/** Integer division and remainder have cases that WGSL leaves open; so have floats beyond f32's precision in f16. */
const divide =
  (op: 'div' | 'rem') =>
  (o: BinaryOperands): string => {
    const { a, b, held, lanes, helpers } = o
    if (held === 'i32' || held === 'u32') return `${helpers.use(`${op}_${held}`, lanes)}(${a}, ${b})`
    return throughF32(o, (x, y) => (op === 'div' ? `(${x} / ${y})` : `${helpers.use('rem_f32', lanes)}(${x}, ${y})`))
  }

const throughF32 = ({ a, b, held, lanes }: BinaryOperands, spell: (a: string, b: string) => string): string => {
  if (held !== 'f16') return spell(a, b)
  const wide = typeName('f32', lanes)
  return `${typeName('f16', lanes)}(${spell(`${wide}(${a})`, `${wide}(${b})`)})`
}

const extremum =
  (op: 'min' | 'max') =>
  (o: BinaryOperands): string =>
    isFloat(o.dtype)
      ? throughF32(o, (x, y) => `${o.helpers.use(`${op}_f32`, o.lanes)}(${x}, ${y})`)
      : `${op}(${o.a}, ${o.b})`

/** `ne` is true where an operand is NaN, every other comparison false. */
const compare =
  (sign: string) =>
  (o: BinaryOperands): string => {
    const plain = `(${o.a} ${sign} ${o.b})`
    if (!isFloat(o.dtype)) return plain
    const wide = (x: string): string => (o.held === 'f16' ? `${typeName('f32', o.lanes)}(${x})` : x)
    const suspects = [...(o.nan.a ? [o.a] : []), ...(o.nan.b && o.b !== o.a ? [o.b] : [])]
    const checks = suspects.map(x => `${o.helpers.use('is_nan', o.lanes)}(${wide(x)})`)
    return checks.length === 0
      ? plain
      : sign === '!='
        ? `(${[plain, ...checks].join(' | ')})`
        : `(${[plain, ...checks.map(c => `!${c}`)].join(' & ')})`
  }

/** WGSL leaves a count that reaches the width open: it is masked, unless it is a literal. */
const shift =
  (sign: '<<' | '>>') =>
  ({ a, b, dtype, held, lanes }: BinaryOperands): string => {
    const U = typeName('u32', lanes)
    const width = dtype === 'i8' || dtype === 'u8' ? 8 : dtype === 'i16' || dtype === 'u16' ? 16 : 32
    if (lanes === 1 && /^\d+[iu]$/.test(b)) return `(${a} ${sign} ${Number.parseInt(b, 10) % width}u)`
    const mask = lanes === 1 ? `${width - 1}u` : `${U}(${width - 1}u)`
    return `(${a} ${sign} (${held === 'u32' ? b : `${U}(${b})`} & ${mask}))`
  }

export const spellBinary = {
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: divide('div'),
  rem: divide('rem'),
  min: extremum('min'),
  max: extremum('max'),
  and: infix('&'),
  or: infix('|'),
  xor: o => (o.held === 'bool' ? `(${o.a} != ${o.b})` : `(${o.a} ^ ${o.b})`),
  shl: shift('<<'),
  shr: shift('>>'),
  eq: compare('=='),
  ne: compare('!='),
  lt: compare('<'),
  le: compare('<='),
  gt: compare('>'),
  ge: compare('>='),
} as const satisfies Record<BasicBinary, (o: BinaryOperands) => string>

/** Ops whose result may leave the range of an 8- or 16-bit integer, or needs rounding to f16. */
export const mayOverflow: ReadonlySet<BinaryOp> = new Set(['add', 'sub', 'mul', 'div', 'shl'] as const)
