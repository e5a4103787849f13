/** @file For references only: elements of host tensors as plain numbers (integers as bigint, truths as 0 and 1). */
import type { DType } from '@quern/artifact'
import type { HostTensor } from '../../host-tensor.ts'

export type Element = number | bigint

const arrays = {
  f16: Uint16Array,
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  i16: Int16Array,
  i8: Int8Array,
  u32: Uint32Array,
  u16: Uint16Array,
  u8: Uint8Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  bool: Uint8Array,
}
export type ReferenceDType = keyof typeof arrays

export const isInt = (dtype: DType): boolean => dtype.startsWith('i') || dtype.startsWith('u')
export const countOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)

/** Every subscript of a shape, in row-major order. */
export function* subscripts(shape: readonly number[]): Generator<number[]> {
  const count = countOf(shape)
  for (let flat = 0; flat < count; flat++) {
    const at: number[] = []
    let rest = flat
    for (let d = shape.length - 1; d >= 0; d--) {
      const extent = shape[d] ?? 1
      at[d] = rest % extent
      rest = Math.floor(rest / extent)
    }
    yield at
  }
}

export const flatten = (at: readonly number[], shape: readonly number[]): number =>
  shape.reduce((flat, d, i) => flat * d + (at[i] ?? 0), 0)

/** Every finite half, by its bits. */
const halves = Array.from({ length: 0x7c00 }, (_, bits) => {
  const exponent = bits >> 10,
    fraction = (bits & 0x3ff) / 1024
  return exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15)
})
const fromHalf = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1,
    rest = bits & 0x7fff
  return rest > 0x7c00 ? NaN : rest === 0x7c00 ? sign * Infinity : sign * (halves[rest] ?? NaN)
}
/** The nearest half; of two as near, the one with even bits. */
const toHalf = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0,
    size = Math.abs(x)
  if (size >= 65520) return sign | 0x7c00
  let low = 0,
    high = halves.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((halves[middle] ?? 0) <= size) low = middle
    else high = middle
  }
  const below = size - (halves[low] ?? 0),
    above = (halves[high] ?? 0) - size
  return sign | (below < above || (below === above && low % 2 === 0) ? low : high)
}

export const read = (t: HostTensor, at: readonly number[]): Element => {
  const value = t.data[flatten(at, t.shape)]
  if (value === undefined) throw new RangeError(`[${at.join(',')}] of [${t.shape.join(',')}]`)
  if (t.dtype === 'f16') return fromHalf(Number(value))
  return isInt(t.dtype) ? BigInt(value) : Number(value)
}
export const isInside = (at: readonly number[], shape: readonly number[]): boolean =>
  at.every((i, d) => i >= 0 && i < (shape[d] ?? 0))

/** Typed arrays wrap integers and round floats as they store them. */
export const build = (dtype: DType, shape: readonly number[], element: (at: number[]) => Element): HostTensor => {
  const data = new arrays[dtype](countOf(shape))
  let i = 0
  for (const at of subscripts(shape)) {
    const value = element(at)
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i++] = BigInt(value)
    else if (dtype === 'f16') data[i++] = toHalf(Number(value))
    else data[i++] = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value
  }
  return { dtype, shape, data }
}

export const add = (a: Element, b: Element): Element => (typeof a === 'bigint' ? a + BigInt(b) : a + Number(b))
export const multiply = (a: Element, b: Element): Element => (typeof a === 'bigint' ? a * BigInt(b) : a * Number(b))
export const zeroOf = (dtype: DType): Element => (isInt(dtype) ? 0n : 0)
export const oneOf = (dtype: DType): Element => (isInt(dtype) ? 1n : 1)
