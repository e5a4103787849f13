/** @file Functions that read and write at places that data names, and those that find such places. */
import type { DType } from '@quern/artifact'
import type { AnyShape } from '../shape-types.ts'
import { checkOptions } from '../arguments.ts'
import { type AnyTensor, type Tensor, apply, applyAll } from '../tensor.ts'
import { axisOf } from './axis.ts'

/** The dtypes of positions. */
export type IndexDType = 'i64' | 'i32' | 'i16' | 'i8' | 'u64' | 'u32' | 'u16' | 'u8'

export interface ScatterOptions {
  /** The axis that is indexed. Default 0. */
  readonly axis?: number
  /** How an update meets what is there; `none` overwrites it, and the last one in row-major order wins. Default `none`. */
  readonly reduction?: 'none' | 'add' | 'mul' | 'min' | 'max'
}

const scatterAttrs = (op: string, x: AnyTensor, options: ScatterOptions) => {
  checkOptions(op, options, ['axis', 'reduction'])
  return { axis: axisOf(op, x, options.axis ?? 0), reduction: options.reduction ?? 'none' }
}

/** Both results of an op that has two. */
const both = (op: string, results: readonly AnyTensor[]): readonly [AnyTensor, AnyTensor] => {
  const [first, second] = results
  if (first === undefined || second === undefined) throw new Error(`${op} has two results`)
  return [first, second]
}

/**
 * Element by element x at `indices` along an axis, and at its own place along the others: `torch.gather`,
 * `numpy.take_along_axis`. Rows of x are what `gather` takes. Negative indices count from the end; those outside are moved
 * to the nearest end.
 * @param indices the rank of x, and its dims but along the axis; the result has this shape
 * @throws gather-elements/dims-agree where ranks or other dims differ
 */
export const gatherElements = <D extends DType, S extends AnyShape>(
  x: Tensor<D>,
  indices: Tensor<IndexDType, S>,
  axis = 0,
): Tensor<D, S> => apply('gather-elements', [x, indices], { axis: axisOf('gather-elements', x, axis) })

/**
 * A copy of x in which each update meets the element at its index along an axis and at its own place along the others:
 * `torch.scatter` and `scatter_reduce`. Indices are taken as in {@link gatherElements}.
 * @param indices the shape of `updates`: the rank of x, and its dims but along the axis
 * @throws scatter/dims-agree, scatter/same-shape where shapes do not fit
 */
export const scatter = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  indices: Tensor<IndexDType>,
  updates: Tensor<D>,
  options: ScatterOptions = {},
): Tensor<D, S> => apply('scatter', [x, indices, updates], scatterAttrs('scatter', x, options))

/**
 * A copy of x in which each row of updates meets the row at its index along an axis: `torch.index_copy`, with
 * `reduction: 'add'` `torch.index_add`. The inverse of `gather`.
 * @param updates the shape that `gather(x, indices, axis)` has
 * @throws scatter-rows/updates-fit where it has another
 */
export const scatterRows = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  indices: Tensor<IndexDType>,
  updates: Tensor<D>,
  options: ScatterOptions = {},
): Tensor<D, S> => apply('scatter-rows', [x, indices, updates], scatterAttrs('scatter-rows', x, options))

export interface SortOptions {
  /** The axis that is sorted. Default -1. */
  readonly axis?: number
  /** Largest first. Default false. */
  readonly descending?: boolean
}

/** The elements along an axis in order, and where each one stood. Equal elements keep their order; NaN counts as the largest. */
export const sort = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  options: SortOptions = {},
): { readonly values: Tensor<D, S>; readonly indices: Tensor<'i32', S> } => {
  checkOptions('sort', options, ['axis', 'descending'])
  const attrs = { axis: axisOf('sort', x, options.axis ?? -1), descending: options.descending ?? false }
  const [values, indices] = both('sort', applyAll('sort', [x], attrs))
  return { values: values as Tensor<D, S>, indices: indices as AnyTensor as Tensor<'i32', S> }
}

/** Where the elements of the sorted axis stood: `sort(x, options).indices`. */
export const argsort = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  options: SortOptions = {},
): Tensor<'i32', S> => sort(x, options).indices

/**
 * Where x is not zero (NaN is not): one row of subscripts for each such element, in row-major order, as `torch.nonzero` and
 * `numpy.argwhere` give it. How many there are is known when the model runs.
 * @returns `indices` of shape [k, rank of x], and `count`, which is k
 */
export const nonzero = (x: Tensor): { readonly indices: Tensor<'i32'>; readonly count: Tensor<'i32', readonly []> } => {
  const [indices, count] = both('nonzero', applyAll('nonzero', [x], { dtype: 'i32' }))
  return { indices: indices as Tensor<'i32'>, count: count as AnyTensor as Tensor<'i32', readonly []> }
}
