/** @file Tensors made from a shape. */
import type { DType } from '@quern/artifact'
import type { SymbolInfo } from '@quern/core-ir'
import type { WrittenShape } from '../shape-types.ts'
import { isFresh } from '../rename-symbols.ts'
import { checkDType, checkOptions } from '../arguments.ts'
import { type Size, type Sizes, symbolOf, toIndex, toShape } from '../size.ts'
import { type Tensor, apply } from '../tensor.ts'
import { constant } from '../weights/constant.ts'

/** What a written shape tells of the dims that it mentions. */
export const symbolsOf = (shape: Sizes): ReadonlyMap<string, SymbolInfo> =>
  new Map(
    shape.flatMap(s => (typeof s === 'object' && s.kind === 'dim' && !isFresh(s.name) ? [[s.name, symbolOf(s)]] : [])),
  )

/** A tensor filled with one number: `numpy.full`. Default dtype f32. */
export const full = <const S extends Sizes, const D extends DType = 'f32'>(
  shape: S,
  value: number,
  dtype?: D,
): Tensor<D, WrittenShape<S>> => {
  const sizes = toShape('full', shape)
  return apply('broadcast', [constant(value, dtype ?? 'f32', [])], { shape: sizes }, symbolsOf(shape))
}
/** Zeros: `numpy.zeros`. Default dtype f32. */
export const zeros = <const S extends Sizes, const D extends DType = 'f32'>(
  shape: S,
  dtype?: D,
): Tensor<D, WrittenShape<S>> => full(shape, 0, dtype)
/** Ones: `numpy.ones`. Default dtype f32. */
export const ones = <const S extends Sizes, const D extends DType = 'f32'>(
  shape: S,
  dtype?: D,
): Tensor<D, WrittenShape<S>> => full(shape, 1, dtype)

/**
 * Each element is its own position along an axis: `jax.lax.broadcasted_iota`. Default dtype i32.
 * @throws iota/dtype-is-number for bool, iota/axis-in-range for an axis that the shape does not have
 */
export const iota = <const S extends Sizes, const D extends DType = 'i32'>(
  shape: S,
  options: { readonly axis?: number; readonly dtype?: D } = {},
): Tensor<D, WrittenShape<S>> => {
  checkOptions('iota', options, ['axis', 'dtype'])
  const { axis = 0, dtype = 'i32' } = options
  checkDType('iota', dtype)
  return apply('iota', [], { shape: toShape('iota', shape), axis, dtype }, symbolsOf(shape))
}

/** 0, 1, …, size − 1: `numpy.arange`. Default dtype i32. */
export const arange = <const N extends Size, const D extends DType = 'i32'>(
  size: N,
  dtype?: D,
): Tensor<D, WrittenShape<readonly [N]>> => iota<readonly [N], D>([size], dtype === undefined ? {} : { dtype })

/** A size as a scalar tensor: `sizeOf(x.shape[0])`, known when the model runs. Default dtype i32. */
export const sizeOf = <const D extends DType = 'i32'>(size: Size, dtype?: D): Tensor<D, readonly []> => {
  if (dtype !== undefined) checkDType('sizeOf', dtype)
  return apply('dim-value', [], { value: toIndex(size), dtype: dtype ?? 'i32' }, symbolsOf([size]))
}
