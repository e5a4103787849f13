/** @file Reductions over axes, cumulative sums, sorting. */
import type { DType } from '@quern/artifact'
import { ix } from '@quern/core-ir'
import type { AnyShape } from '../shape-types.ts'
import { checkList, checkOptions, checkTensor } from '../arguments.ts'
import { type AnyTensor, type Tensor, apply, applyAll } from '../tensor.ts'
import { div } from './elementwise.ts'
import { axisOf } from './axis.ts'

export interface ReduceOptions {
  /** Default: all. */
  readonly axes?: readonly number[]
  /** Keep reduced dims as 1. Default false. */
  readonly keepDims?: boolean
}

const axesOf = (op: string, x: AnyTensor, options: ReduceOptions): readonly number[] => {
  checkTensor(op, 'x', x)
  checkOptions(op, options, ['axes', 'keepDims'])
  const { axes } = options
  if (axes === undefined) return x.type.shape.map((_, i) => i)
  checkList(op, 'axes', axes)
  return axes.map(a => axisOf(op, x, a)).sort((a, b) => a - b)
}

const reduction =
  (op: string) =>
  <D extends DType>(x: Tensor<D>, options: ReduceOptions = {}): Tensor<D> =>
    apply(op, [x], { axes: axesOf(op.replace(/^reduce-/, ''), x, options), keepDims: options.keepDims ?? false })

export const sum = reduction('reduce-sum')
export const prod = reduction('reduce-prod')
export const max = reduction('reduce-max')
export const min = reduction('reduce-min')
export const any = reduction('reduce-any')
export const all = reduction('reduce-all')

/** Arithmetic mean over axes. */
export const mean = <D extends 'f32' | 'f16' | 'f64'>(x: Tensor<D>, options: ReduceOptions = {}): Tensor<D> => {
  const value = ix.product(axesOf('mean', x, options).map(a => x.type.shape[a] ?? 1))
  const count = apply('dim-value', [], { value, dtype: x.dtype }, x.symbols)
  return div(sum(x, options), count) as AnyTensor as Tensor<D>
}

const position =
  (op: string) =>
  <S extends AnyShape>(x: Tensor<DType, S>, axis = -1, keepDims = false): Tensor<'i32'> =>
    apply(op, [x], { axis: axisOf(op, x, axis), keepDims })
/** Position of the largest element along an axis; the first wins. */
export const argmax = position('argmax')
/** Position of the smallest element along an axis; the first wins. */
export const argmin = position('argmin')

/** Running sum along an axis. */
export const cumsum = <D extends DType, S extends AnyShape>(x: Tensor<D, S>, axis = -1): Tensor<D, S> =>
  apply('cumsum', [x], { axis: axisOf('cumsum', x, axis) })

/** The k largest elements along the last axis and their positions, in order. */
export const topK = <D extends DType>(
  x: Tensor<D>,
  k: number,
): { readonly values: Tensor<D>; readonly indices: Tensor<'i32'> } => {
  const [values, indices] = applyAll('top-k', [x], { k })
  return { values: values as Tensor<D>, indices: indices as Tensor<'i32'> }
}
