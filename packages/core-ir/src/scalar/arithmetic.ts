/**
 * @file What every scalar op means, for every value: the one table that executors are held against.
 * Integers wrap; x / 0 and x rem 0 are 0; shift counts are taken modulo the width; min and max return NaN if either operand
 * is NaN and order −0 below +0. Float ops compute in double and round once to their dtype, which is exact for + − × ÷ √.
 */
import type { DType } from '@quern/artifact'
import { erf, pow, roundEven, sigmoid } from './math.ts'
import { type BinaryOp, type UnaryOp, accepts, binaryOps, unaryOps } from './scalar-ops.ts'
import {
  type NarrowInteger,
  type ScalarValue,
  type WideDType,
  bitWidth,
  isWide,
  roundFloat,
  wrapNarrow,
  wrapWide,
} from './value.ts'

export type UnaryFunction = (x: ScalarValue) => ScalarValue
export type BinaryFunction = (x: ScalarValue, y: ScalarValue) => ScalarValue

/** Sound because the dtype that selected the function decides whether its values are numbers or bigints (value.ts). */
const erase1 = <T extends ScalarValue>(f: (x: T) => ScalarValue): UnaryFunction => f as UnaryFunction
const erase2 = <T extends ScalarValue>(f: (x: T, y: T) => ScalarValue): BinaryFunction => f as BinaryFunction

type UnaryFor<A extends string> = { [K in UnaryOp]: (typeof unaryOps)[K]['accepts'] extends A ? K : never }[UnaryOp]
type BinaryFor<A extends string> = { [K in BinaryOp]: (typeof binaryOps)[K]['accepts'] extends A ? K : never }[BinaryOp]
type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

const comparisons: Record<Comparison, BinaryFunction> = {
  eq: (x, y) => (x === y ? 1 : 0),
  ne: (x, y) => (x === y ? 0 : 1),
  lt: (x, y) => (x < y ? 1 : 0),
  le: (x, y) => (x <= y ? 1 : 0),
  gt: (x, y) => (x > y ? 1 : 0),
  ge: (x, y) => (x >= y ? 1 : 0),
}
const isComparison = (op: BinaryOp): op is Comparison => op in comparisons

const floatUnary: Record<UnaryFor<'number' | 'float'>, (x: number) => number> = {
  neg: x => -x,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round: roundEven,
  sqrt: Math.sqrt,
  isnan: x => (Number.isNaN(x) ? 1 : 0),
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  sigmoid,
}
const floatBinary: Record<Exclude<BinaryFor<'number' | 'float'>, Comparison>, (x: number, y: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  rem: (x, y) => x % y,
  min: Math.min,
  max: Math.max,
  pow,
}

type IntegerUnary = UnaryFor<'number' | 'bits'>
type IntegerBinary = Exclude<BinaryFor<'number' | 'integer' | 'bits'>, Comparison>

const narrowUnary: Record<IntegerUnary, (x: number) => number> = { neg: x => -x, abs: Math.abs, not: x => ~x }
/** Results before wrapping; `width` is that of the dtype. */
const narrowBinary: Record<IntegerBinary, (x: number, y: number, width: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: Math.imul,
  div: (x, y) => (y === 0 ? 0 : Math.trunc(x / y)),
  rem: (x, y) => (y === 0 ? 0 : x % y),
  min: (x, y) => Math.min(x, y),
  max: (x, y) => Math.max(x, y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y, width) => x << (y & (width - 1)),
  // A u32 with its top bit set must shift in zeros; smaller unsigned values are non-negative either way.
  shr: (x, y, width) => (x > 0x7fffffff ? x >>> (y & (width - 1)) : x >> (y & (width - 1))),
}

const wideUnary: Record<IntegerUnary, (x: bigint) => bigint> = {
  neg: x => -x,
  abs: x => (x < 0n ? -x : x),
  not: x => ~x,
}
const wideBinary: Record<IntegerBinary, (x: bigint, y: bigint) => bigint> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => (y === 0n ? 0n : x / y),
  rem: (x, y) => (y === 0n ? 0n : x % y),
  min: (x, y) => (x < y ? x : y),
  max: (x, y) => (x > y ? x : y),
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  shl: (x, y) => x << (y & 63n),
  shr: (x, y) => x >> (y & 63n),
}

const boolUnary: Record<UnaryFor<'bits'>, (x: number) => number> = { not: x => 1 - x }
const boolBinary: Record<BinaryFor<'bits'>, (x: number, y: number) => number> = {
  and: (x, y) => x & y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
}

const has = <K extends string>(table: Readonly<Record<K, unknown>>, op: string): op is K => op in table
const refuse = (op: string, dtype: DType): never => {
  throw new TypeError(`scalar ${op} is not defined for ${dtype}`)
}

/** The function of a unary op on a dtype, for callers that apply it often. */
export const unaryFunction = (op: UnaryOp, dtype: DType): UnaryFunction => {
  if (!accepts(unaryOps[op].accepts, dtype)) return refuse(op, dtype)
  switch (dtype) {
    case 'f64':
    case 'f32':
    case 'f16': {
      if (!has(floatUnary, op)) return refuse(op, dtype)
      const f = floatUnary[op],
        round = roundFloat[dtype]
      return erase1((x: number) => round(f(x)))
    }
    case 'bool':
      return has(boolUnary, op) ? erase1(boolUnary[op]) : refuse(op, dtype)
    case 'i64':
    case 'u64': {
      if (!has(wideUnary, op)) return refuse(op, dtype)
      const f = wideUnary[op],
        wrap = wrapWide[dtype satisfies WideDType]
      return erase1((x: bigint) => wrap(f(x)))
    }
    default: {
      if (!has(narrowUnary, op)) return refuse(op, dtype)
      const f = narrowUnary[op],
        wrap = wrapNarrow[dtype satisfies NarrowInteger]
      return erase1((x: number) => wrap(f(x)))
    }
  }
}

/** The function of a binary op on a dtype, for callers that apply it often. */
export const binaryFunction = (op: BinaryOp, dtype: DType): BinaryFunction => {
  if (!accepts(binaryOps[op].accepts, dtype)) return refuse(op, dtype)
  if (isComparison(op)) return comparisons[op]
  switch (dtype) {
    case 'f64':
    case 'f32':
    case 'f16': {
      if (!has(floatBinary, op)) return refuse(op, dtype)
      const f = floatBinary[op],
        round = roundFloat[dtype]
      return erase2((x: number, y: number) => round(f(x, y)))
    }
    case 'bool':
      return has(boolBinary, op) ? erase2(boolBinary[op]) : refuse(op, dtype)
    case 'i64':
    case 'u64': {
      if (!has(wideBinary, op)) return refuse(op, dtype)
      const f = wideBinary[op],
        wrap = wrapWide[dtype satisfies WideDType]
      return erase2((x: bigint, y: bigint) => wrap(f(x, y)))
    }
    default: {
      if (!has(narrowBinary, op)) return refuse(op, dtype)
      const f = narrowBinary[op],
        wrap = wrapNarrow[dtype satisfies NarrowInteger],
        width = bitWidth[dtype]
      return isWide(dtype) ? refuse(op, dtype) : erase2((x: number, y: number) => wrap(f(x, y, width)))
    }
  }
}

export const applyUnary = (op: UnaryOp, dtype: DType, x: ScalarValue): ScalarValue => unaryFunction(op, dtype)(x)
export const applyBinary = (op: BinaryOp, dtype: DType, x: ScalarValue, y: ScalarValue): ScalarValue =>
  binaryFunction(op, dtype)(x, y)
