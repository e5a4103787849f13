/** @file The spelling of conversions and of the reduction of results to their dtype's range. */
import type { DType } from '@quern/artifact'
import { integerBounds, isFloat } from '@quern/core-ir'
import type { Helpers } from './helpers.ts'
import { type Held, type Lanes, typeName } from './types.ts'

export interface Spelled {
  readonly code: string
  readonly dtype: DType
  readonly held: Held
  readonly lanes: Lanes
}

/** Wraps an 8- or 16-bit integer that may have left its range; rounds f16 that is computed in f32. */
export const normalise = (code: string, dtype: DType, held: Held, lanes: Lanes, helpers: Helpers): string => {
  switch (dtype) {
    case 'i8':
      return `extractBits(${code}, 0u, 8u)`
    case 'i16':
      return `extractBits(${code}, 0u, 16u)`
    case 'u8':
      return `(${code} & ${typeName('u32', lanes)}(0xffu))`
    case 'u16':
      return `(${code} & ${typeName('u32', lanes)}(0xffffu))`
    case 'f16':
      return held === 'f32' ? `${helpers.use('round_f16', lanes)}(${code})` : code
    default:
      return code
  }
}

const isNarrow = (dtype: DType): dtype is 'i8' | 'i16' | 'u8' | 'u16' =>
  dtype === 'i8' || dtype === 'i16' || dtype === 'u8' || dtype === 'u16'

/** `from.code` is free to repeat. */
export const spellCast = (from: Spelled, dtype: DType, held: Held, helpers: Helpers): string => {
  const { code, lanes } = from
  const type = typeName(held, lanes)
  if (dtype === 'bool')
    return isFloat(from.dtype) ? truth(from, helpers) : `(${code} != ${typeName(from.held, lanes)}(0))`
  if (from.dtype === 'bool') return `select(${type}(0), ${type}(1), ${code})`
  if (isFloat(dtype)) {
    const converted = from.held === held ? code : `${type}(${code})`
    return dtype === 'f16' && held === 'f32' ? normalise(converted, dtype, held, lanes, helpers) : converted
  }
  if (!isFloat(from.dtype)) {
    const converted = from.held === held ? code : `${type}(${code})`
    return normalise(converted, dtype, held, lanes, helpers)
  }
  const F = typeName('f32', lanes)
  const x = from.held === 'f16' ? `${F}(${code})` : code
  if (!isNarrow(dtype)) return `${helpers.use(held === 'u32' ? 'to_u32' : 'to_i32', lanes)}(${x})`
  const { min, max } = integerBounds(dtype)
  return `select(${type}(clamp(${x}, ${F}(${min}.0f), ${F}(${max}.0f))), ${type}(0), ${helpers.use('is_nan', lanes)}(${x}))`
}

/** NaN is true. */
const truth = ({ code, held, lanes }: Spelled, helpers: Helpers): string => {
  const x = held === 'f16' ? `${typeName('f32', lanes)}(${code})` : code
  return `((${x} != ${typeName('f32', lanes)}(0.0f)) | ${helpers.use('is_nan', lanes)}(${x}))`
}

/** The same bits as another dtype of the same width. `parts` spells a vector from its components where WGSL has no vector form. */
export const spellBitcast = (from: Spelled, dtype: DType, held: Held, helpers: Helpers): string => {
  const { code, lanes } = from
  if (from.dtype === 'f16' && dtype !== 'f16') {
    const x = from.held === 'f16' ? `${typeName('f32', lanes)}(${code})` : code
    const bits = `${helpers.use('to_half', lanes)}(${x})`
    return held === 'i32' ? normalise(`${typeName('i32', lanes)}(${bits})`, dtype, held, lanes, helpers) : bits
  }
  if (dtype === 'f16' && from.dtype !== 'f16') {
    const U = typeName('u32', lanes)
    const x = `${helpers.use('from_half', lanes)}(${from.held === 'i32' ? `(${U}(${code}) & ${U}(0xffffu))` : code})`
    return held === 'f16' ? `${typeName('f16', lanes)}(${x})` : x
  }
  if (from.held === held) return normalise(code, dtype, held, lanes, helpers)
  const same = `bitcast<${typeName(held, lanes)}>(${code})`
  return normalise(same, dtype, held, lanes, helpers)
}
