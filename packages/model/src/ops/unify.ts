/** @file Brings operands to one dtype and one shape. */
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
import { refuse } from '../arguments.ts'
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
