/** @file Conversions between dtypes as scalars: integers wrap, floats saturate and NaN is 0, anything but zero is true. */
import type { DType } from '@quern/artifact'
import { type Spell, bitsOf, classOf, narrow, repOf } from './values.ts'

/** The ends of a narrow integer dtype. */
const rangeOfNarrow = (d: DType): readonly [number, number] =>
  classOf[d] === 'signed' ? [-(2 ** (bitsOf[d] - 1)), 2 ** (bitsOf[d] - 1) - 1] : [0, 2 ** bitsOf[d] - 1]

const fromFloat = (from: DType, to: DType, x: string, s: Spell): string => {
  const rep = repOf[from]
  if (to === 'bool') return `(${rep}.ne ${x} (${rep}.const 0))`
  const sign = classOf[to] === 'signed' ? 's' : 'u'
  if (bitsOf[to] >= 32) return `(${repOf[to]}.trunc_sat_${rep}_${sign} ${x})`
  const [low, high] = rangeOfNarrow(to)
  const wide = s.hold(`(i32.trunc_sat_${rep}_s ${x})`, 'i32')
  const above = s.hold(`(select ${wide} (i32.const ${low}) (i32.gt_s ${wide} (i32.const ${low})))`, 'i32')
  return `(select ${above} (i32.const ${high}) (i32.lt_s ${above} (i32.const ${high})))`
}

const toFloat = (from: DType, to: DType, x: string, s: Spell): string => {
  const sign = classOf[from] === 'signed' ? 's' : 'u'
  // f64 holds every i32, and every i64 that is not far beyond the largest f16: one rounding only.
  if (to === 'f16') return `(call ${s.helper('f16_round')} (f64.convert_${repOf[from]}_${sign} ${x}))`
  return `(${repOf[to]}.convert_${repOf[from]}_${sign} ${x})`
}

const betweenFloats = (from: DType, to: DType, x: string, s: Spell): string => {
  if (to === 'f16') return `(call ${s.helper('f16_round')} ${from === 'f64' ? x : `(f64.promote_f32 ${x})`})`
  if (repOf[from] === repOf[to]) return x
  return to === 'f64' ? `(f64.promote_f32 ${x})` : `(f32.demote_f64 ${x})`
}

const betweenIntegers = (from: DType, to: DType, x: string): string => {
  const source = repOf[from]
  if (to === 'bool') return from === 'bool' ? x : `(${source}.ne ${x} (${source}.const 0))`
  if (repOf[to] === 'i64')
    return source === 'i64' ? x : `(i64.extend_i32_${classOf[from] === 'signed' ? 's' : 'u'} ${x})`
  return narrow(to, source === 'i64' ? `(i32.wrap_i64 ${x})` : x)
}

export const scalarCast = (from: DType, to: DType, x: string, s: Spell): string => {
  const source = classOf[from] === 'float',
    target = classOf[to] === 'float'
  if (from === to) return x
  if (source && target) return betweenFloats(from, to, x, s)
  if (source) return fromFloat(from, to, x, s)
  return target ? toFloat(from, to, x, s) : betweenIntegers(from, to, x)
}

/** The bits of a value as an integer (f16 as its 16 bits), and back. */
const toBits = (d: DType, x: string, s: Spell): string =>
  d === 'f16'
    ? `(call ${s.helper('f16_bits')} ${x})`
    : d === 'f32'
      ? `(i32.reinterpret_f32 ${x})`
      : d === 'f64'
        ? `(i64.reinterpret_f64 ${x})`
        : x
const fromBits = (d: DType, x: string, s: Spell): string => {
  switch (d) {
    case 'f16':
      return `(call ${s.helper('f16_value')} ${narrow('u16', x)})`
    case 'f32':
      return `(f32.reinterpret_i32 ${x})`
    case 'f64':
      return `(f64.reinterpret_i64 ${x})`
    case 'bool':
      return `(i32.ne ${x} (i32.const 0))`
    default:
      return narrow(d, x)
  }
}
export const scalarBitcast = (from: DType, to: DType, x: string, s: Spell): string =>
  fromBits(to, toBits(from, x, s), s)
