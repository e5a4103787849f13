/** @file Element types: their names, widths and the typed arrays that hold them on the host. */

export const dtypes = ['f32', 'f16', 'f64', 'i64', 'i32', 'i16', 'i8', 'u64', 'u32', 'u16', 'u8', 'bool'] as const
export type DType = (typeof dtypes)[number]

/** Bytes of one element on the host and in wasm memory (WebGPU widens bool and 8/16-bit integers to 32 bits). */
export const bytesOf = {
  f32: 4,
  f16: 2,
  f64: 8,
  i64: 8,
  i32: 4,
  i16: 2,
  i8: 1,
  u64: 8,
  u32: 4,
  u16: 2,
  u8: 1,
  bool: 1,
} as const satisfies Record<DType, number>

/** The host array of each dtype. f16 travels as its bits in a Uint16Array, bool as 0/1 bytes. */
export const arrayOf = {
  f32: Float32Array,
  f16: Uint16Array,
  f64: Float64Array,
  i64: BigInt64Array,
  i32: Int32Array,
  i16: Int16Array,
  i8: Int8Array,
  u64: BigUint64Array,
  u32: Uint32Array,
  u16: Uint16Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>

export interface HostArrays {
  f32: Float32Array
  f16: Uint16Array
  f64: Float64Array
  i64: BigInt64Array
  i32: Int32Array
  i16: Int16Array
  i8: Int8Array
  u64: BigUint64Array
  u32: Uint32Array
  u16: Uint16Array
  u8: Uint8Array
  bool: Uint8Array
}
export type HostArray<D extends DType = DType> = HostArrays[D]
