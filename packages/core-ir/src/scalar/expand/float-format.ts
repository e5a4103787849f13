/** @file What expansions know about the bits of the two float formats. All fields of integers are those bits as integers. */
import type { DType } from '@quern/artifact'
import type { Scalar } from '../scalar.ts'

export interface FloatFormat {
  readonly float: 'f32' | 'f64'
  readonly int: 'i32' | 'i64'
  readonly uint: 'u32' | 'u64'
  readonly width: number
  /** Explicit bits of the significand. */
  readonly mantissa: number
  readonly bias: number
  readonly one: bigint
  readonly infinity: bigint
  readonly nan: bigint
  readonly smallestNormal: bigint
  /** All but the sign, and the sign alone (as a negative integer). */
  readonly magnitude: bigint
  readonly sign: bigint
  /** 1.5 · 2^mantissa, added to a small whole number, puts that into the low bits of the sum; and the bits of this number. */
  readonly magic: number
  readonly magicBits: bigint
}

const format = (
  float: 'f32' | 'f64',
  int: 'i32' | 'i64',
  uint: 'u32' | 'u64',
  width: number,
  mantissa: number,
): FloatFormat => {
  const shift = BigInt(mantissa)
  const bias = 2 ** (width - mantissa - 2) - 1
  const infinity = BigInt(2 * bias + 1) << shift
  return {
    float,
    int,
    uint,
    width,
    mantissa,
    bias,
    one: BigInt(bias) << shift,
    infinity,
    nan: infinity | (1n << (shift - 1n)),
    smallestNormal: 1n << shift,
    magnitude: (1n << BigInt(width - 1)) - 1n,
    sign: -(1n << BigInt(width - 1)),
    magic: 1.5 * 2 ** mantissa,
    magicBits: (BigInt(bias + mantissa) << shift) | (1n << (shift - 1n)),
  }
}
const formats = { f32: format('f32', 'i32', 'u32', 32, 23), f64: format('f64', 'i64', 'u64', 64, 52) } as const

const isFormat = (dtype: DType): dtype is keyof typeof formats => Object.hasOwn(formats, dtype)
export const formatOf = (x: Scalar): FloatFormat => {
  if (!isFormat(x.dtype)) throw new TypeError(`no expansion computes in ${x.dtype}`)
  return formats[x.dtype]
}

/** Constants of each format; expansions pick theirs by the dtype of their operand. */
export type PerFormat<T> = Readonly<Record<FloatFormat['float'], T>>
