/** @file Short names that expansions are written with: a number stands for a literal of the other operand's dtype. */
import type { DType } from '@quern/artifact'
import { type Scalar, binary, bitcast, literal, select, unary } from '../scalar.ts'
import type { BinaryOp } from '../scalar-ops.ts'
import type { Emitter } from './emitter.ts'

export type Like = Scalar | number

const infix =
  (op: BinaryOp) =>
  (x: Like, y: Like): Scalar => {
    const [dtype] = [x, y].flatMap(s => (typeof s === 'number' ? [] : [s.dtype]))
    if (dtype === undefined) throw new TypeError(`${op} of two numbers has no dtype`)
    return binary(op, typeof x === 'number' ? literal(x, dtype) : x, typeof y === 'number' ? literal(y, dtype) : y)
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
  const [dtype] = [then, otherwise].flatMap(s => (typeof s === 'number' ? [] : [s.dtype]))
  if (dtype === undefined) throw new TypeError('a choice of two numbers has no dtype')
  return select(
    condition,
    typeof then === 'number' ? literal(then, dtype) : then,
    typeof otherwise === 'number' ? literal(otherwise, dtype) : otherwise,
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
export const bitsOf = (x: Scalar): Scalar => bitcast(x, x.dtype === 'f64' ? 'i64' : 'i32')
export const floatOf = (bits: Scalar): Scalar =>
  bitcast(bits, bits.dtype === 'i64' || bits.dtype === 'u64' ? 'f64' : 'f32')
export const wholeDType = (x: Scalar): DType => (x.dtype === 'f64' ? 'i64' : 'i32')

/** A float that is not negative, with the sign bit of x. */
export const withSignOf = (x: Scalar, size: Scalar): Scalar =>
  floatOf(or(bitsOf(size), and(bitsOf(x), literal(x.dtype === 'f64' ? -(1n << 63n) : -(2 ** 31), wholeDType(x)))))
