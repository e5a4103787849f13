/**
 * @file Values as the interpreters hold them: a bigint for i64 and u64, 0 or 1 for bool, a number for the rest (f32 and f16
 * already rounded).
 */
import type { DType } from '@quern/artifact'
import { roundHalf } from './half.ts'

export type ScalarValue = number | bigint
export type WideDType = 'i64' | 'u64'
export type NarrowInteger = Exclude<DType, WideDType | 'f16' | 'f32' | 'f64' | 'bool'>

export const isWide = (dtype: DType): dtype is WideDType => dtype === 'i64' || dtype === 'u64'

/** Bits of an element as arithmetic sees it. */
export const bitWidth = {
  f64: 64,
  f32: 32,
  f16: 16,
  i64: 64,
  u64: 64,
  i32: 32,
  u32: 32,
  i16: 16,
  u16: 16,
  i8: 8,
  u8: 8,
  bool: 1,
} as const satisfies Record<DType, number>

/** Keeps the low bits of a 32-bit integer result (`f` may be any number that `| 0` takes modulo 2^32). */
export const wrapNarrow = {
  i32: x => x | 0,
  u32: x => x >>> 0,
  i16: x => (x << 16) >> 16,
  u16: x => x & 0xffff,
  i8: x => (x << 24) >> 24,
  u8: x => x & 0xff,
} as const satisfies Record<NarrowInteger, (x: number) => number>

export const wrapWide = {
  i64: x => BigInt.asIntN(64, x),
  u64: x => BigInt.asUintN(64, x),
} as const satisfies Record<WideDType, (x: bigint) => bigint>

export const roundFloat = { f64: x => x, f32: Math.fround, f16: roundHalf } as const satisfies Record<
  'f64' | 'f32' | 'f16',
  (x: number) => number
>

/** Smallest and largest value of an integer dtype. */
export const integerBounds = (dtype: NarrowInteger | WideDType): { readonly min: bigint; readonly max: bigint } => {
  const width = BigInt(bitWidth[dtype])
  return dtype.startsWith('i')
    ? { min: -(1n << (width - 1n)), max: (1n << (width - 1n)) - 1n }
    : { min: 0n, max: (1n << width) - 1n }
}
