/**
 * @file How values of each dtype live in wasm. Scalars: f16 as the f32 of equal value, 8- and 16-bit integers extended to
 * i32, bool as 0 or 1. Vectors: 32-bit lanes (64-bit ones for 64-bit dtypes), bool as masks of all ones or zeros.
 */
import type { DType } from '@quern/artifact'
import type { WasmType } from '../text/wat.ts'
import type { HelperName } from './helpers.ts'

export type Rep = 'i32' | 'i64' | 'f32' | 'f64'
export const repOf = {
  f32: 'f32',
  f16: 'f32',
  f64: 'f64',
  i64: 'i64',
  u64: 'i64',
  i32: 'i32',
  i16: 'i32',
  i8: 'i32',
  u32: 'i32',
  u16: 'i32',
  u8: 'i32',
  bool: 'i32',
} as const satisfies Record<DType, Rep>

export const bitsOf = {
  f32: 32,
  f16: 16,
  f64: 64,
  i64: 64,
  u64: 64,
  i32: 32,
  i16: 16,
  i8: 8,
  u32: 32,
  u16: 16,
  u8: 8,
  bool: 8,
} as const satisfies Record<DType, number>

/** What a table of spellings distinguishes beyond the representation. */
export type Class = 'float' | 'signed' | 'unsigned' | 'bool'
export const classOf = {
  f32: 'float',
  f16: 'float',
  f64: 'float',
  i64: 'signed',
  i32: 'signed',
  i16: 'signed',
  i8: 'signed',
  u64: 'unsigned',
  u32: 'unsigned',
  u16: 'unsigned',
  u8: 'unsigned',
  bool: 'bool',
} as const satisfies Record<DType, Class>

export type LaneShape = 'f32x4' | 'f64x2' | 'i32x4' | 'i64x2'
export const shapeOf = (d: DType): LaneShape => {
  switch (repOf[d]) {
    case 'f32':
      return 'f32x4'
    case 'f64':
      return 'f64x2'
    case 'i32':
      return 'i32x4'
    case 'i64':
      return 'i64x2'
  }
}
/** Lanes in one v128. */
export const lanesOf = (d: DType): 2 | 4 => (repOf[d] === 'i64' || repOf[d] === 'f64' ? 2 : 4)
/** How many v128 hold `extent` lanes; a last one may be filled in part. */
export const partsOf = (d: DType, extent: number): number => Math.ceil(extent / lanesOf(d))

/** What a spelling may ask of the function it is written into. */
export interface Spell {
  /** Puts a value that is used more than once into a local. */
  hold(expr: string, type: WasmType): string
  /** The identifier of a helper function, which the module will then contain. */
  helper(name: HelperName): string
  readonly relaxed: boolean
}

/** An i32 cut to the width of a narrow dtype; other dtypes are returned as they are. */
export const narrow = (d: DType, x: string): string => {
  switch (d) {
    case 'i8':
      return `(i32.extend8_s ${x})`
    case 'i16':
      return `(i32.extend16_s ${x})`
    case 'u8':
      return `(i32.and ${x} (i32.const 255))`
    case 'u16':
      return `(i32.and ${x} (i32.const 65535))`
    default:
      return x
  }
}

/** The same for four lanes. */
export const narrowLanes = (d: DType, x: string): string => {
  switch (d) {
    case 'i8':
      return `(i32x4.shr_s (i32x4.shl ${x} (i32.const 24)) (i32.const 24))`
    case 'i16':
      return `(i32x4.shr_s (i32x4.shl ${x} (i32.const 16)) (i32.const 16))`
    case 'u8':
      return `(v128.and ${x} (v128.const i32x4 255 255 255 255))`
    case 'u16':
      return `(v128.and ${x} (v128.const i32x4 65535 65535 65535 65535))`
    default:
      return x
  }
}

/** Rounds the f32 in which an f16 is computed back to an f16's value; other dtypes are returned as they are. */
export const rounded = (d: DType, x: string, s: Spell): string =>
  d === 'f16' ? `(call ${s.helper('f16_round')} (f64.promote_f32 ${x}))` : x
export const roundedLanes = (d: DType, x: string, s: Spell): string =>
  d === 'f16' ? `(call ${s.helper('f16_round_lanes')} ${x})` : x
