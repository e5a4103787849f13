/** @file Short names that expansions are written with: a number stands for a literal of the other operand's dtype. */
import type { DType } from '@quern/artifact'
import { type Scalar, binary, bitcast, literal, select, unary } from '../scalar.ts'
import type { BinaryOp } from '../scalar-ops.ts'
import type { Emitter } from './emitter.ts'
import { formatOf } from './float-format.ts'

export type Like = Scalar | number | bigint
const isScalar = (x: Like): x is Scalar => typeof x === 'object'

const infix =
  (op: BinaryOp) =>
  (x: Like, y: Like): Scalar => {
    const [dtype] = [x, y].flatMap(s => (isScalar(s) ? [s.dtype] : []))
    if (dtype === undefined) throw new TypeError(`${op} of two numbers has no dtype`)
    return binary(op, isScalar(x) ? x : literal(x, dtype), isScalar(y) ? y : literal(y, dtype))
  }
export const add = infix('add')
export const sub = infix('sub')
export const mul = infix('mul')
export const div = infix('div')
export const and = infix('and')
export const or = infix('or')
export const xor = infix('xor')
export const shl = infix('shl')
export const shr = infix('shr')
export const eq = infix('eq')
export const ne = infix('ne')
export const lt = infix('lt')
export const le = infix('le')
export const gt = infix('gt')
export const ge = infix('ge')
export const not = (x: Scalar): Scalar => unary('not', x)
export const abs = (x: Scalar): Scalar => unary('abs', x)
export const neg = (x: Scalar): Scalar => unary('neg', x)

export const pick = (condition: Scalar, then: Like, otherwise: Like): Scalar => {
  const [dtype] = [then, otherwise].flatMap(s => (isScalar(s) ? [s.dtype] : []))
  if (dtype === undefined) throw new TypeError('a choice of two numbers has no dtype')
  return select(
    condition,
    isScalar(then) ? then : literal(then, dtype),
    isScalar(otherwise) ? otherwise : literal(otherwise, dtype),
  )
}

/**
 * At least `low`, keeping NaN; one instruction where the target has minima that keep an operand (f32x4.pmax). The operand is
 * read twice, so it gets a name.
 */
export const atLeast = (b: Emitter, x: Scalar, low: number): Scalar => {
  const named = b.let('x', x)
  return b.let('raised', pick(lt(named, low), low, named))
}
export const atMost = (b: Emitter, x: Scalar, high: number): Scalar => {
  const named = b.let('x', x)
  return b.let('lowered', pick(gt(named, high), high, named))
}
export const clamp = (b: Emitter, x: Scalar, low: number, high: number): Scalar => atMost(b, atLeast(b, x, low), high)

/** c₀ + x (c₁ + x (c₂ + …)). */
export const polynomial = (x: Scalar, coefficients: readonly number[]): Scalar =>
  coefficients
    .slice(0, -1)
    .reduceRight<Scalar>((value, c) => add(mul(x, value), c), literal(coefficients.at(-1) ?? 0, x.dtype))

/** The bits of a float as a signed integer, and back. Tests on bits hold where a compiler assumes that there is no NaN. */
export const bitsOf = (x: Scalar): Scalar => bitcast(x, formatOf(x).int)
export const floatOf = (bits: Scalar): Scalar =>
  bitcast(bits, bits.dtype === 'i64' || bits.dtype === 'u64' ? 'f64' : 'f32')

/** A float that is not negative, with the sign bit of x. */
export const withSignOf = (x: Scalar, size: Scalar): Scalar =>
  floatOf(or(bitsOf(size), and(bitsOf(x), formatOf(x).sign)))

/** One value of two literals. */
export const oneOf = (condition: Scalar, then: number | bigint, otherwise: number | bigint, dtype: DType): Scalar =>
  select(condition, literal(then, dtype), literal(otherwise, dtype))
