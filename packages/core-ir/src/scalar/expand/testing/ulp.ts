/** @file Distance of a computed float from the exact value, in units of the last place of that value. */

const format = {
  f32: { bits: 24, least: -125, top: 2 ** 128 },
  f16: { bits: 11, least: -13, top: 2 ** 16 },
  f64: { bits: 53, least: -1021, top: Infinity },
} as const

/** Zero where both are the same infinity, both NaN, or both zero with one sign; infinite where only one is NaN. */
export const ulpDistance = (got: number, want: number, dtype: 'f32' | 'f16' | 'f64'): number => {
  const { bits, least, top } = format[dtype]
  if (Number.isNaN(want) || Number.isNaN(got)) return Number.isNaN(want) && Number.isNaN(got) ? 0 : Infinity
  if (want === 0) return Object.is(got, want) ? 0 : Math.abs(got) === 0 ? 0.5 : Infinity
  // Beyond the largest float, infinity stands for the next power of two.
  const clip = (x: number): number => Math.max(-top, Math.min(top, x))
  if (clip(got) === clip(want)) return 0
  const size = Math.abs(clip(want))
  let exponent = Math.floor(Math.log2(size)) + 1
  if (2 ** (exponent - 1) > size) exponent--
  return Math.abs(clip(got) - clip(want)) / 2 ** (Math.max(exponent, least) - bits)
}
