/** @file The text form of types and index expressions. */
import { type Index } from '../index/index-expr.ts'
import { printIndex } from '../index/print.ts'
import type { TensorType } from './graph.ts'

export const printShape = (shape: readonly Index[]): string => `[${shape.map(i => printIndex(i)).join(',')}]`
export const printTensorType = (t: TensorType): string => `${t.dtype}${printShape(t.shape)}`
