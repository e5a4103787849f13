/** @file How the dtypes are held on the device: the WGSL type of a value, and what a storage word holds. */
import type { DType } from '@quern/artifact'

/** WGSL type of a value in an expression. */
export type Held = 'f32' | 'f16' | 'i32' | 'u32' | 'bool'

/** 64-bit dtypes have no WGSL type. f16 is computed in f32 and rounded after each operation where the device lacks it. */
export const heldAs = (dtype: DType, f16: boolean): Held | undefined => {
  switch (dtype) {
    case 'f32':
      return 'f32'
    case 'f16':
      return f16 ? 'f16' : 'f32'
    case 'i32':
    case 'i16':
    case 'i8':
      return 'i32'
    case 'u32':
    case 'u16':
    case 'u8':
      return 'u32'
    case 'bool':
      return 'bool'
    case 'f64':
    case 'i64':
    case 'u64':
      return undefined
  }
}

/** WGSL element type of a storage buffer that holds one value a word (f16 a half word). */
export const storedAs = (held: Held): Exclude<Held, 'bool'> => (held === 'bool' ? 'u32' : held)

/** Bits of an element of dtypes that constants and states keep packed; undefined: they are a word (or natively half a word) anyway. */
export const packedBits = (dtype: DType, f16: boolean): 8 | 16 | undefined => {
  switch (dtype) {
    case 'i8':
    case 'u8':
    case 'bool':
      return 8
    case 'i16':
    case 'u16':
      return 16
    case 'f16':
      return f16 ? undefined : 16
    default:
      return undefined
  }
}

/** Vectors have at most four components. */
export type Lanes = 1 | 2 | 3 | 4

export const typeName = (held: Held, lanes: Lanes): string => (lanes === 1 ? held : `vec${lanes}<${held}>`)
export const components = ['x', 'y', 'z', 'w'] as const
