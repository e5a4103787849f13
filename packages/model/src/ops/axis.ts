/** @file Axes as authors write them: negative ones count from the end. */
import { QuernError } from '@quern/artifact'
import { inWords } from '@quern/core-ir'
import { checkTensor } from '../arguments.ts'
import { currentOrigin } from '../origin.ts'
import { type AnyTensor, noteOf } from '../tensor.ts'

/** Resolves a negative axis, and refuses one that x does not have. */
export const axisOf = (op: string, x: AnyTensor, axis: number): number => {
  checkTensor(op, 'x', x)
  const rank = x.type.shape.length
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new QuernError(
      `${op}/axis-in-range`,
      `${op} needs an axis from ${-rank} to ${rank - 1} of a tensor of rank ${rank}, not ${inWords(axis)}`,
      { op, rank, origin: currentOrigin(), operands: [noteOf(x, 'x')] },
    )
  return axis < 0 ? axis + rank : axis
}

/** An axis that a tensor is about to get. */
export const newAxis = (op: string, x: AnyTensor, axis: number): number => {
  checkTensor(op, 'x', x)
  const rank = x.type.shape.length + 1
  if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis
  throw new QuernError(
    `${op}/axis-in-range`,
    `${op} needs a new axis from ${-rank} to ${rank - 1} of a tensor of rank ${rank - 1}, not ${inWords(axis)}`,
    { op, rank, origin: currentOrigin() },
  )
}
