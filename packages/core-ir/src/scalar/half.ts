/** @file IEEE binary16: exact conversions from and to doubles, rounding to nearest, ties to even. */

const nearestEven = (x: number): number => {
  const low = Math.floor(x),
    gap = x - low
  return gap < 0.5 || (gap === 0.5 && low % 2 === 0) ? low : low + 1
}

/** The 16 bits of the half nearest to x. NaN becomes the quiet NaN 0x7e00. */
export const toHalfBits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const size = Math.abs(x)
  if (size >= 65520) return sign | 0x7c00
  // A significand that rounds up carries into the exponent field, which is what the format wants.
  if (size < 2 ** -14) return sign | nearestEven(size * 2 ** 24)
  let exponent = Math.floor(Math.log2(size))
  if (2 ** exponent > size) exponent--
  else if (2 ** (exponent + 1) <= size) exponent++
  return sign | (((exponent + 15) << 10) + nearestEven((size * 2 ** -exponent - 1) * 1024))
}

/** The value of 16 bits. */
export const fromHalfBits = (bits: number): number => {
  const sign = (bits & 0x8000) === 0 ? 1 : -1,
    exponent = (bits >> 10) & 31,
    fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** x rounded to half precision, as a double. */
export const roundHalf = (x: number): number => fromHalfBits(toHalfBits(x))
