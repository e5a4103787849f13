/**
 * @file Conversions, total: float → integer truncates and saturates (NaN → 0); integer → narrower integer wraps; anything
 * → float rounds once to nearest even; float → bool is x ≠ 0 (NaN is true); bool → number is 0 or 1.
 */
import type { DType } from '@quern/artifact'
import { fromHalfBits, toHalfBits } from './half.ts'
import {
  type NarrowInteger,
  type ScalarValue,
  type WideDType,
  bitWidth,
  integerBounds,
  isWide,
  roundFloat,
  wrapNarrow,
  wrapWide,
} from './value.ts'

/** The double next to a 64-bit integer, with every lost bit kept sticky, so that one more rounding is still correct. */
const stickyDouble = (x: bigint): number => {
  const size = x < 0n ? -x : x
  if (size < 1n << 53n) return Number(x)
  const kept = (size >> 11n) | ((size & 0x7ffn) === 0n ? 0n : 1n)
  return (x < 0n ? -1 : 1) * Number(kept) * 2048
}

const toFloat = (from: DType, to: 'f16' | 'f32' | 'f64'): ((x: ScalarValue) => number) => {
  const round = roundFloat[to]
  if (!isWide(from)) return x => round(Number(x))
  return to === 'f64' ? x => Number(x) : x => round(stickyDouble(BigInt(x)))
}

const saturating = (to: NarrowInteger | WideDType): ((x: number) => ScalarValue) => {
  const { min, max } = integerBounds(to)
  if (isWide(to))
    return x => {
      if (Number.isNaN(x)) return 0n
      return x >= Number(max) ? max : x <= Number(min) ? min : BigInt(Math.trunc(x))
    }
  const low = Number(min),
    high = Number(max)
  return x => (Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))) + 0)
}

const toInteger = (from: DType, to: NarrowInteger | WideDType): ((x: ScalarValue) => ScalarValue) => {
  if (from === 'f16' || from === 'f32' || from === 'f64') {
    const convert = saturating(to)
    return x => convert(Number(x))
  }
  if (isWide(to)) {
    const wrap = wrapWide[to]
    return x => wrap(BigInt(x))
  }
  const wrap = wrapNarrow[to]
  return isWide(from) ? x => wrap(Number(BigInt.asIntN(32, BigInt(x)))) : x => wrap(Number(x))
}

/** The conversion as a function, for callers that convert many. */
export const castFunction = (from: DType, to: DType): ((x: ScalarValue) => ScalarValue) => {
  switch (to) {
    case 'bool':
      // A double is compared with ≠, so NaN is true; a bigint zero is falsy too.
      return x => (Number(x) === 0 ? 0 : 1)
    case 'f16':
    case 'f32':
    case 'f64':
      return toFloat(from, to)
    default:
      return toInteger(from, to)
  }
}
export const castValue = (from: DType, to: DType, x: ScalarValue): ScalarValue => castFunction(from, to)(x)

/** Writes and reads one value of each dtype; the accessors of a DataView, which know no half floats on older engines. */
const writers = {
  f64: (v, x) => v.setFloat64(0, Number(x)),
  f32: (v, x) => v.setFloat32(0, Number(x)),
  f16: (v, x) => v.setUint16(0, toHalfBits(Number(x))),
  i64: (v, x) => v.setBigInt64(0, BigInt(x)),
  u64: (v, x) => v.setBigUint64(0, BigInt(x)),
  i32: (v, x) => v.setInt32(0, Number(x)),
  u32: (v, x) => v.setUint32(0, Number(x)),
  i16: (v, x) => v.setInt16(0, Number(x)),
  u16: (v, x) => v.setUint16(0, Number(x)),
  i8: (v, x) => v.setInt8(0, Number(x)),
  u8: (v, x) => v.setUint8(0, Number(x)),
  bool: (v, x) => v.setUint8(0, Number(x)),
} as const satisfies Record<DType, (view: DataView, x: ScalarValue) => void>
const readers = {
  f64: v => v.getFloat64(0),
  f32: v => v.getFloat32(0),
  f16: v => fromHalfBits(v.getUint16(0)),
  i64: v => v.getBigInt64(0),
  u64: v => v.getBigUint64(0),
  i32: v => v.getInt32(0),
  u32: v => v.getUint32(0),
  i16: v => v.getInt16(0),
  u16: v => v.getUint16(0),
  i8: v => v.getInt8(0),
  u8: v => v.getUint8(0),
  bool: v => v.getUint8(0),
} as const satisfies Record<DType, (view: DataView) => ScalarValue>

/** The reinterpretation as a function. A NaN's payload is not kept: it is the quiet NaN. */
export const bitcastFunction = (from: DType, to: DType): ((x: ScalarValue) => ScalarValue) => {
  if (bitWidth[from] !== bitWidth[to]) throw new TypeError(`bitcast needs dtypes of one width, not ${from} and ${to}`)
  const view = new DataView(new ArrayBuffer(8))
  const write: (view: DataView, x: ScalarValue) => void = writers[from]
  const read: (view: DataView) => ScalarValue = readers[to]
  return x => {
    write(view, x)
    return read(view)
  }
}
export const bitcastValue = (from: DType, to: DType, x: ScalarValue): ScalarValue => bitcastFunction(from, to)(x)
