/** @file Reducers for writing semantics: `sum([k], ([i]) => …)`. Axis names are made fresh when a region is lowered. */
import type { DType } from '@quern/artifact'
import { type Index, type IndexLike, toIndex, variable } from '../index/index-expr.ts'
import { type Reducer, type Scalar, reduce } from '../scalar/scalar.ts'

type Axes<E extends readonly IndexLike[]> = { readonly [K in keyof E]: Index }

const reducer =
  (kind: Reducer, usual?: DType) =>
  <const E extends readonly IndexLike[]>(extents: E, body: (axes: Axes<E>) => Scalar, dtype = usual): Scalar => {
    const axes = extents.map((extent, i) => ({ name: `$k${i}`, extent: toIndex(extent) }))
    const scalar = body(axes.map(a => variable(a.name)) as unknown as Axes<E>)
    return reduce(kind, axes, scalar, dtype ?? scalar.dtype)
  }

export const sum = reducer('sum')
export const prod = reducer('prod')
export const maxOf = reducer('max')
export const minOf = reducer('min')
export const anyOf = reducer('any')
export const allOf = reducer('all')
/** Position along the one axis, i64 unless told; the first wins, and the first NaN wins over numbers. */
export const argmaxOf = reducer('argmax', 'i64')
export const argminOf = reducer('argmin', 'i64')
