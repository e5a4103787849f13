/** @file Tests only: awkward values of every dtype, and comparison where all NaNs are one. */
import { type DType, type HostArray, arrayOf } from '@quern/artifact'
import { type ScalarValue, fromHalfBits, toHalfBits } from '@quern/core-ir'

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.75,
  7,
  -7,
  100.25,
  -128.5,
  127.9,
  255.4,
  256.6,
  65504,
  65519.9,
  65520,
  1e-7,
  6e-8,
  2 ** -14,
  2 ** -24,
  2 ** -25,
  1.0009765625,
  1.00048828125,
  1e-40,
  -1e-40,
  3e38,
  -3e38,
  2147483647,
  -2147483648,
  4294967296,
  -1e10,
  9.3e18,
  1e19,
  1.9e19,
  Infinity,
  -Infinity,
  NaN,
  1e300,
  1e-310,
  0.1,
  33.3,
]
const integers = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  -3n,
  7n,
  -7n,
  8n,
  31n,
  32n,
  33n,
  63n,
  64n,
  65n,
  100n,
  127n,
  128n,
  -128n,
  -129n,
  255n,
  256n,
  32767n,
  32768n,
  -32768n,
  65535n,
  65536n,
  65519n,
  65520n,
  2147483647n,
  -2147483648n,
  2147483648n,
  4294967295n,
  16777217n,
  33554435n,
  9007199254740993n,
  9223372036854775807n,
  -9223372036854775808n,
  1234567890123n,
  -1234567890123n,
  2049n,
  2051n,
  4097n,
]

const put = (d: DType, array: HostArray, i: number, x: ScalarValue): void => {
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[i] = BigInt(x)
  else array[i] = d === 'f16' ? toHalfBits(Number(x)) : Number(x)
}
const fits = (d: DType): readonly ScalarValue[] =>
  d === 'f32' || d === 'f16' || d === 'f64'
    ? floats
    : d === 'bool'
      ? [0, 1]
      : d === 'i64' || d === 'u64'
        ? integers
        : integers.map(x => Number(BigInt.asIntN(32, x)))

/** Every pair of awkward values, in two arrays of a length that 16 divides. */
export const pairs = (a: DType, b: DType): [HostArray, HostArray] => {
  const xs = fits(a),
    ys = fits(b)
  const size = Math.ceil((xs.length * ys.length) / 16) * 16
  const left = new arrayOf[a](size),
    right = new arrayOf[b](size)
  for (let i = 0; i < size; i++) {
    put(a, left, i, xs[i % xs.length] ?? 0)
    put(b, right, i, ys[Math.floor(i / xs.length) % ys.length] ?? 0)
  }
  return [left, right]
}

export const filled = (d: DType, size: number, next: () => number): HostArray => {
  const array = new arrayOf[d](size)
  const values = fits(d)
  for (let i = 0; i < size; i++) put(d, array, i, values[Math.floor(next() * values.length)] ?? 0)
  return array
}

/** The elements as text: NaN is NaN, and −0 is not 0. */
export const shown = (d: DType, array: HostArray): string[] =>
  Array.from(array as ArrayLike<number | bigint>, x => {
    const v = d === 'f16' ? fromHalfBits(Number(x)) : x
    return Object.is(v, -0) ? '-0' : `${v}`
  })
