/** @file Element-wise functions. Operands broadcast as in NumPy; a number takes the other operand's dtype. */
import { type DType, QuernError } from '@quern/artifact'
import {
  broadcastShapes,
  inWords,
  type ix,
  mergeSymbols,
  printShape,
  printTensorType,
  provesEqual,
} from '@quern/core-ir'
import type { BinaryMistake, Fits } from '../shape-mistakes.ts'
import type { AnyShape, Broadcast } from '../shape-types.ts'
import { checkDType, checkTensor, refuse } from '../arguments.ts'
import { currentOrigin } from '../origin.ts'
import { type AnyTensor, type Tensor, apply, isTensor, nameOf, noteOf } from '../tensor.ts'
import { constant } from '../weights/constant.ts'

/** A tensor, or a number that becomes a scalar constant. */
export type Operand<D extends DType = DType> = Tensor<D> | number

/** Spreads x to a shape, by an explicit `broadcast` unless it has it already. */
export const broadcastTo = (x: AnyTensor, shape: readonly ix.Index[]): AnyTensor => {
  const same = x.type.shape.length === shape.length && x.type.shape.every((d, i) => d.key === shape[i]?.key)
  return same ? x : apply('broadcast', [x], { shape })
}

const advice = (x: unknown): string =>
  x === undefined ? 'is the name spelled as it is declared?' : 'constant(…) makes tensors of numbers and lists'

/** Brings operands to one dtype (numbers adapt, tensors must agree) and one shape. */
export const unify = (
  op: string,
  operands: readonly Operand[],
  roles: readonly string[] = ['a', 'b'],
): readonly AnyTensor[] => {
  for (const x of operands)
    if (!isTensor(x) && typeof x !== 'number')
      refuse('model/not-a-tensor', `${op} takes tensors and numbers, and was given ${inWords(x)}: ${advice(x)}`, { op })
  const first = operands.find(isTensor)
  const tensors = operands.map(x => (isTensor(x) ? x : constant(x, first?.dtype ?? 'f32', [])))
  const odd = tensors.find(t => t.dtype !== tensors[0]?.dtype)
  if (odd !== undefined)
    throw new QuernError(
      `${op}/same-dtype`,
      `${op} needs operands of one dtype, and ${tensors[0]?.dtype} is not ${odd.dtype}: convert one of them, as in cast(${nameOf(odd) ?? 'x'}, '${tensors[0]?.dtype}')`,
      { op, origin: currentOrigin(), operands: tensors.map((t, i) => noteOf(t, roles[i])) },
    )
  const symbols = mergeSymbols(...tensors.map(t => t.symbols))
  let shape: readonly ix.Index[] = []
  for (const t of tensors) {
    const joined = broadcastShapes(shape, t.type.shape, { equal: (a, b) => provesEqual(a, b, symbols) })
    if (joined === undefined)
      throw new QuernError(
        `${op}/shapes-broadcast`,
        `${op} needs shapes that broadcast: dims are equal or 1, counted from the last, and ${printTensorType(t.type)} does not fit ${printShape(shape)}`,
        { op, origin: currentOrigin(), operands: tensors.map((t, i) => noteOf(t, roles[i])) },
      )
    shape = joined
  }
  return tensors.map(t => broadcastTo(t, shape))
}

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
