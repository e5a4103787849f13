/** @file For references only: elements of host tensors as plain numbers (integers as bigint, truths as 0 and 1). */
import type { DType } from '@quern/artifact'
import type { HostTensor } from '../../host-tensor.ts'

export type Element = number | bigint

const arrays = {
  f32: Float32Array, f64: Float64Array, i32: Int32Array, i16: Int16Array, i8: Int8Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array,
  i64: BigInt64Array, u64: BigUint64Array, bool: Uint8Array,
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

export const read = (t: HostTensor, at: readonly number[]): Element => {
  const value = t.data[flatten(at, t.shape)]
  if (value === undefined) throw new RangeError(`[${at.join(',')}] of [${t.shape.join(',')}]`)
  return isInt(t.dtype) ? BigInt(value) : Number(value)
}
export const isInside = (at: readonly number[], shape: readonly number[]): boolean => at.every((i, d) => i >= 0 && i < (shape[d] ?? 0))

/** Typed arrays wrap integers and round floats as they store them. */
export const build = (dtype: DType, shape: readonly number[], element: (at: number[]) => Element): HostTensor => {
  if (dtype === 'f16') throw new TypeError('references know no f16')
  const data = new arrays[dtype](countOf(shape))
  let i = 0
  for (const at of subscripts(shape)) {
    const value = element(at)
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i++] = BigInt(value)
    else data[i++] = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value
  }
  return { dtype, shape, data }
}

export const add = (a: Element, b: Element): Element => (typeof a === 'bigint' ? a + BigInt(b) : a + Number(b))
export const multiply = (a: Element, b: Element): Element => (typeof a === 'bigint' ? a * BigInt(b) : a * Number(b))
export const zeroOf = (dtype: DType): Element => (isInt(dtype) ? 0n : 0)
export const oneOf = (dtype: DType): Element => (isInt(dtype) ? 1n : 1)
