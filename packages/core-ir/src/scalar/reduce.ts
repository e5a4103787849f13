/** @file Reducers: the neutral element and the combination of two values, for every dtype. */
import type { DType } from '@quern/artifact'
import { type BinaryFunction, binaryFunction } from './arithmetic.ts'
import { castValue } from './cast.ts'
import type { BinaryOp } from './scalar-ops.ts'
import type { Reducer } from './scalar.ts'
import { type ScalarValue, integerBounds, isWide } from './value.ts'

export type Combiner = Exclude<Reducer, 'argmax' | 'argmin'>

/** The binary op that combines two partial results. */
export const combinerOp = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
  any: 'or',
  all: 'and',
} as const satisfies Record<Combiner, BinaryOp>

const extreme = (dtype: DType, end: 'min' | 'max'): ScalarValue => {
  switch (dtype) {
    case 'f16':
    case 'f32':
    case 'f64':
      return end === 'max' ? Infinity : -Infinity
    case 'bool':
      return end === 'max' ? 1 : 0
    default: {
      const bound = integerBounds(dtype)[end]
      return isWide(dtype) ? bound : Number(bound)
    }
  }
}

/** The result over no elements. */
export const neutralOf = (reducer: Combiner, dtype: DType): ScalarValue => {
  switch (reducer) {
    case 'sum':
    case 'any':
      return castValue('i32', dtype, 0)
    case 'prod':
      return castValue('i32', dtype, 1)
    // Bits that `and` keeps: all ones for an integer.
    case 'all':
      return castValue('i32', dtype, dtype === 'bool' ? 1 : -1)
    case 'max':
      return extreme(dtype, 'min')
    case 'min':
      return extreme(dtype, 'max')
  }
}

export const combinerFunction = (reducer: Combiner, dtype: DType): BinaryFunction =>
  binaryFunction(combinerOp[reducer], dtype)

/** Whether a later value displaces the one that leads: strictly better, and the first NaN beats everything (as NumPy has it). */
export const displaces = (reducer: 'argmax' | 'argmin', value: ScalarValue, leader: ScalarValue): boolean => {
  if (Number.isNaN(leader)) return false
  return Number.isNaN(value) || (reducer === 'argmax' ? value > leader : value < leader)
}
