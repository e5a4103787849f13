/** @file Conversions of vectors. A value is a list of v128; 64-bit dtypes need twice as many as 32-bit ones. */
import type { DType } from '@quern/artifact'
import { type Spell, bitsOf, classOf, lanesOf, narrowLanes, repOf } from './values.ts'

type Parts = readonly string[]
const highHalf = '8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15'
const lowWords = '0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27'
const lowHalves = '0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23'

/** Each v128 of four 32-bit lanes as one (for two lanes) or two v128 of 64-bit lanes. */
const widen = (
  parts: Parts,
  extent: number,
  s: Spell,
  low: (x: string) => string,
  high: (x: string) => string,
): Parts =>
  parts.flatMap((x, i) => {
    if (extent - 4 * i <= 2) return [low(x)]
    const held = s.hold(x, 'v128')
    return [low(held), high(held)]
  })
/** Pairs of v128 of 64-bit lanes as one of 32-bit lanes. */
const join = (parts: Parts, both: (x: string, y: string) => string): Parts =>
  parts.flatMap((x, i) => (i % 2 === 1 ? [] : [both(x, parts[i + 1] ?? x)]))
const shuffled = (pick: string) => (x: string, y: string) => `(i8x16.shuffle ${pick} ${x} ${y})`

/** Masks of lanes as wide as those of `to`. */
export const castMask = (from: DType, to: DType, parts: Parts, extent: number, s: Spell): Parts => {
  const wide = lanesOf(from) === 2
  if (wide === (lanesOf(to) === 2)) return parts
  return wide
    ? join(
        parts.length % 2 === 1 ? parts.map((x, i) => (i === parts.length - 1 ? s.hold(x, 'v128') : x)) : parts,
        shuffled(lowWords),
      )
    : widen(
        parts,
        extent,
        s,
        x => `(i64x2.extend_low_i32x4_s ${x})`,
        x => `(i64x2.extend_high_i32x4_s ${x})`,
      )
}

const toNarrow = (to: DType, x: string): string => {
  const unsigned = classOf[to] === 'unsigned'
  const low = unsigned ? 0 : -(2 ** (bitsOf[to] - 1)),
    high = unsigned ? 2 ** bitsOf[to] - 1 : 2 ** (bitsOf[to] - 1) - 1
  const all = (n: number): string => `(v128.const i32x4 ${n} ${n} ${n} ${n})`
  return `(i32x4.min_s (i32x4.max_s ${x} ${all(low)}) ${all(high)})`
}

/** The converted parts, or undefined where only scalars can. */
export const vectorCast = (from: DType, to: DType, parts: Parts, extent: number, s: Spell): Parts | undefined => {
  const source = repOf[from],
    target = repOf[to]
  const sign = (d: DType): 's' | 'u' => (classOf[d] === 'signed' ? 's' : 'u')
  if (from === to) return parts
  if (from === 'bool') {
    // A mask selects the bits of 1.
    const masks = castMask('bool', to, parts, extent, s)
    const one = { f32: 'f32x4 1 1 1 1', i32: 'i32x4 1 1 1 1', f64: 'f64x2 1 1', i64: 'i64x2 1 1' }[target]
    return masks.map(m => `(v128.and ${m} (v128.const ${one}))`)
  }
  if (to === 'bool') {
    const shape = { f32: 'f32x4', i32: 'i32x4', f64: 'f64x2', i64: 'i64x2' }[source]
    const zero = lanesOf(from) === 4 ? '0 0 0 0' : '0 0'
    return castMask(
      from,
      'bool',
      parts.map(x => `(${shape}.ne ${x} (v128.const ${shape} ${zero}))`),
      extent,
      s,
    )
  }
  if (source === 'f32' && target === 'f32')
    return to === 'f16' ? parts.map(x => `(call ${s.helper('f16_round_lanes')} ${x})`) : parts
  if (source === 'f32' && target === 'i32')
    return bitsOf[to] === 32
      ? parts.map(x => `(i32x4.trunc_sat_f32x4_${sign(to)} ${x})`)
      : parts.map(x => toNarrow(to, `(i32x4.trunc_sat_f32x4_s ${x})`))
  if (source === 'i32' && target === 'f32')
    // 32-bit integers round twice on the way to f16; narrower ones are exact in f32.
    return to === 'f16'
      ? bitsOf[from] === 32
        ? undefined
        : parts.map(x => `(call ${s.helper('f16_round_lanes')} (f32x4.convert_i32x4_${sign(from)} ${x}))`)
      : parts.map(x => `(f32x4.convert_i32x4_${sign(from)} ${x})`)
  if (source === 'i32' && target === 'i32') return parts.map(x => narrowLanes(to, x))
  if (source === 'i64' && target === 'i64') return parts
  if (source === 'i32' && target === 'i64')
    return widen(
      parts,
      extent,
      s,
      x => `(i64x2.extend_low_i32x4_${sign(from)} ${x})`,
      x => `(i64x2.extend_high_i32x4_${sign(from)} ${x})`,
    )
  if (source === 'i64' && target === 'i32') return join(held(parts, s), shuffled(lowWords)).map(x => narrowLanes(to, x))
  if (source === 'f32' && target === 'f64')
    return widen(
      parts,
      extent,
      s,
      x => `(f64x2.promote_low_f32x4 ${x})`,
      x => `(f64x2.promote_low_f32x4 (i8x16.shuffle ${highHalf} ${x} ${x}))`,
    )
  if (source === 'f64' && target === 'f32')
    return to === 'f16'
      ? undefined
      : join(
          held(parts, s).map(x => `(f32x4.demote_f64x2_zero ${x})`),
          shuffled(lowHalves),
        )
  if (source === 'i32' && target === 'f64')
    return widen(
      parts,
      extent,
      s,
      x => `(f64x2.convert_low_i32x4_${sign(from)} ${x})`,
      x => `(f64x2.convert_low_i32x4_${sign(from)} (i8x16.shuffle ${highHalf} ${x} ${x}))`,
    )
  if (source === 'f64' && target === 'i32') {
    const narrowTo = bitsOf[to] < 32
    const sat = `i32x4.trunc_sat_f64x2_${narrowTo ? 's' : sign(to)}_zero`
    const whole = join(
      held(parts, s).map(x => `(${sat} ${x})`),
      shuffled(lowHalves),
    )
    return narrowTo ? whole.map(x => toNarrow(to, x)) : whole
  }
  return undefined
}
/** `join` may mention an unpaired last part twice. */
const held = (parts: Parts, s: Spell): Parts => (parts.length % 2 === 1 ? parts.map(x => s.hold(x, 'v128')) : parts)

/** The same bits as another dtype of the same width, or undefined where only scalars can. */
export const vectorBitcast = (from: DType, to: DType, parts: Parts): Parts | undefined =>
  from === 'f16' || to === 'f16' ? undefined : parts.map(x => narrowLanes(to, x))
