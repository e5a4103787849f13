/** @file Element-wise functions. Operands broadcast as in NumPy; a number takes the other operand's dtype. */
import { type DType, QuernError } from '@quern/artifact'
import { broadcastShapes, mergeSymbols, printShape, provesEqual } from '@quern/core-ir'
import type { BinaryMistake, Fits } from '../shape-mistakes.ts'
import type { AnyShape, Broadcast } from '../shape-types.ts'
import { checkDType, checkTensor } from '../arguments.ts'
import { currentOrigin } from '../origin.ts'
import { type AnyTensor, type Tensor, apply, noteOf } from '../tensor.ts'
import { type Operand, broadcastTo, unify } from './unify.ts'

export type { Operand }

type ShapeOf<T> = T extends Tensor<DType, infer S> ? S : readonly []
type DTypeOf<A, B> = A extends Tensor<infer D> ? D : B extends Tensor<infer D> ? D : 'f32'
type Joined<A, B> = Broadcast<ShapeOf<A>, ShapeOf<B>>

const unaryOp =
  (op: string) =>
  <D extends DType, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, S> =>
    apply(op, [x])
const binaryOp =
  (op: string) =>
  <A extends Operand, B extends Operand>(a: A, b: B & Fits<BinaryMistake<A, B>>): Tensor<DTypeOf<A, B>, Joined<A, B>> =>
    apply(op, unify(op, [a, b]))
const comparison =
  (op: string) =>
  <A extends Operand, B extends Operand>(a: A, b: B & Fits<BinaryMistake<A, B>>): Tensor<'bool', Joined<A, B>> =>
    apply(op, unify(op, [a, b]))

export const neg = unaryOp('neg')
export const abs = unaryOp('abs')
export const floor = unaryOp('floor')
export const ceil = unaryOp('ceil')
export const trunc = unaryOp('trunc')
/** To the nearest integer, ties to even. */
export const round = unaryOp('round')
export const sqrt = unaryOp('sqrt')
export const exp = unaryOp('exp')
export const log = unaryOp('log')
/** Sine of radians, accurate for every finite x. */
export const sin = unaryOp('sin')
/** Cosine of radians, accurate for every finite x. */
export const cos = unaryOp('cos')
export const tanh = unaryOp('tanh')
export const erf = unaryOp('erf')
export const sigmoid = unaryOp('sigmoid')
/** Complement of bits; logical for bool. */
export const not = unaryOp('not')

export const add = binaryOp('add')
export const sub = binaryOp('sub')
export const mul = binaryOp('mul')
/** Quotient; integers truncate towards zero, and x / 0 = 0. */
export const div = binaryOp('div')
export const rem = binaryOp('rem')
export const pow = binaryOp('pow')
export const minimum = binaryOp('min')
export const maximum = binaryOp('max')
export const and = binaryOp('and')
export const or = binaryOp('or')
export const xor = binaryOp('xor')

export const equal = comparison('eq')
export const notEqual = comparison('ne')
export const less = comparison('lt')
export const lessEqual = comparison('le')
export const greater = comparison('gt')
export const greaterEqual = comparison('ge')

/** `condition ? a : b`, element by element; all three broadcast. */
export const where = <S extends AnyShape, A extends Operand, B extends Operand>(
  condition: Tensor<'bool', S>,
  a: A,
  b: B,
): Tensor<DTypeOf<A, B>, Broadcast<S, Joined<A, B>>> => {
  checkTensor('where', 'the condition', condition)
  const [x, y] = unify('where', [a, b]) as readonly [AnyTensor, AnyTensor]
  const symbols = mergeSymbols(condition.symbols, x.symbols)
  const shape = broadcastShapes(condition.type.shape, x.type.shape, { equal: (p, q) => provesEqual(p, q, symbols) })
  if (shape === undefined)
    throw new QuernError(
      'where/shapes-broadcast',
      `where needs shapes that broadcast: dims are equal or 1, counted from the last, and the condition ${printShape(condition.type.shape)} does not fit ${printShape(x.type.shape)}`,
      { origin: currentOrigin(), operands: [noteOf(condition, 'condition'), noteOf(x, 'a'), noteOf(y, 'b')] },
    )
  return apply('select', [broadcastTo(condition, shape), broadcastTo(x, shape), broadcastTo(y, shape)])
}

/** Conversion to another dtype; float → integer truncates and saturates, NaN becomes 0. */
export const cast = <const D extends DType, S extends AnyShape>(x: Tensor<DType, S>, dtype: D): Tensor<D, S> => {
  checkTensor('cast', 'x', x)
  checkDType('cast', dtype)
  return x.dtype === dtype ? (x as Tensor<DType, S> as Tensor<D, S>) : apply('cast', [x], { dtype })
}

/** min(max(x, low), high). */
export const clamp = <D extends DType, S extends AnyShape>(x: Tensor<D, S>, low: number, high: number): Tensor<D, S> =>
  apply('min', unify('clamp', [apply('max', unify('clamp', [x, low])), high]))
