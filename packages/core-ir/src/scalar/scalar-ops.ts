/**
 * @file The scalar operations, one row each. This table is the single statement of what each op accepts;
 * its total semantics (overflow, NaN, division by zero) stand in scalar/arithmetic.ts, those of conversions in scalar/cast.ts.
 */
import type { DType } from '@quern/artifact'

export type Accepts = 'any' | 'number' | 'float' | 'integer' | 'bool' | 'bits'
export interface ScalarOpRow {
  readonly accepts: Accepts
  readonly result: 'same' | 'bool'
  /** Basic ops are what a target spells; the others are expanded into basic ones first (scalar/expand). */
  readonly basic: boolean
  readonly doc: string
}

export const unaryOps = {
  neg: { accepts: 'number', result: 'same', basic: true, doc: 'Minus x; integers wrap.' },
  abs: {
    accepts: 'number',
    result: 'same',
    basic: true,
    doc: 'Absolute value; the smallest signed integer is its own.',
  },
  floor: { accepts: 'float', result: 'same', basic: true, doc: 'Largest integer ≤ x.' },
  ceil: { accepts: 'float', result: 'same', basic: true, doc: 'Smallest integer ≥ x.' },
  trunc: { accepts: 'float', result: 'same', basic: true, doc: 'Towards zero.' },
  round: { accepts: 'float', result: 'same', basic: true, doc: 'To nearest, ties to even.' },
  sqrt: { accepts: 'float', result: 'same', basic: true, doc: 'Square root; NaN below zero.' },
  not: { accepts: 'bits', result: 'same', basic: true, doc: 'Complement of bits; logical for bool.' },
  isnan: { accepts: 'float', result: 'bool', basic: true, doc: 'Whether x is NaN.' },
  exp: { accepts: 'float', result: 'same', basic: false, doc: 'e to the x.' },
  log: { accepts: 'float', result: 'same', basic: false, doc: 'Natural logarithm; NaN below zero, −∞ at zero.' },
  sin: {
    accepts: 'float',
    result: 'same',
    basic: false,
    doc: 'Sine of radians, accurate for every finite x; NaN at ±∞.',
  },
  cos: {
    accepts: 'float',
    result: 'same',
    basic: false,
    doc: 'Cosine of radians, accurate for every finite x; NaN at ±∞.',
  },
  tanh: { accepts: 'float', result: 'same', basic: false, doc: 'Hyperbolic tangent.' },
  erf: { accepts: 'float', result: 'same', basic: false, doc: 'Error function.' },
  sigmoid: { accepts: 'float', result: 'same', basic: false, doc: '1 / (1 + exp(−x)).' },
} as const satisfies Record<string, ScalarOpRow>
export type UnaryOp = keyof typeof unaryOps

export const binaryOps = {
  add: { accepts: 'number', result: 'same', basic: true, doc: 'Sum; integers wrap.' },
  sub: { accepts: 'number', result: 'same', basic: true, doc: 'Difference; integers wrap.' },
  mul: { accepts: 'number', result: 'same', basic: true, doc: 'Product; integers wrap.' },
  div: {
    accepts: 'number',
    result: 'same',
    basic: true,
    doc: 'Quotient; integers truncate towards zero, x / 0 = 0, and min / −1 wraps to min.',
  },
  rem: {
    accepts: 'number',
    result: 'same',
    basic: true,
    doc: 'Remainder with the sign of x (x − trunc(x / y) y); integer x rem 0 = 0.',
  },
  min: { accepts: 'number', result: 'same', basic: true, doc: 'Smaller; NaN if either is NaN; −0 < +0.' },
  max: { accepts: 'number', result: 'same', basic: true, doc: 'Larger; NaN if either is NaN; −0 < +0.' },
  and: { accepts: 'bits', result: 'same', basic: true, doc: 'Bitwise and; logical for bool.' },
  or: { accepts: 'bits', result: 'same', basic: true, doc: 'Bitwise or; logical for bool.' },
  xor: { accepts: 'bits', result: 'same', basic: true, doc: 'Bitwise exclusive or; logical for bool.' },
  shl: { accepts: 'integer', result: 'same', basic: true, doc: 'Shift left; the count is taken modulo the width.' },
  shr: {
    accepts: 'integer',
    result: 'same',
    basic: true,
    doc: 'Shift right, arithmetic for signed; the count is taken modulo the width.',
  },
  eq: { accepts: 'any', result: 'bool', basic: true, doc: 'Equal; false with NaN.' },
  ne: { accepts: 'any', result: 'bool', basic: true, doc: 'Not equal; true with NaN.' },
  lt: { accepts: 'number', result: 'bool', basic: true, doc: 'Less.' },
  le: { accepts: 'number', result: 'bool', basic: true, doc: 'Less or equal.' },
  gt: { accepts: 'number', result: 'bool', basic: true, doc: 'Greater.' },
  ge: { accepts: 'number', result: 'bool', basic: true, doc: 'Greater or equal.' },
  pow: { accepts: 'float', result: 'same', basic: false, doc: 'x to the y, with the special cases of IEEE 754 pow.' },
} as const satisfies Record<string, ScalarOpRow>
export type BinaryOp = keyof typeof binaryOps

export const isFloat = (d: DType): boolean => d === 'f32' || d === 'f16' || d === 'f64'
export const isInteger = (d: DType): boolean => !isFloat(d) && d !== 'bool'
export const isSigned = (d: DType): boolean => isFloat(d) || d.startsWith('i')

export const accepts = (kind: Accepts, d: DType): boolean => {
  switch (kind) {
    case 'any':
      return true
    case 'number':
      return d !== 'bool'
    case 'float':
      return isFloat(d)
    case 'integer':
      return isInteger(d)
    case 'bool':
      return d === 'bool'
    case 'bits':
      return isInteger(d) || d === 'bool'
  }
}
