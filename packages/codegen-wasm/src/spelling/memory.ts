/** @file Loads and stores of one element, and of a run of lanes, for every dtype. */
import type { DType } from '@quern/artifact'
import { type Spell, lanesOf, shapeOf } from './values.ts'

/** An address: an i32 expression and a constant byte offset for the instruction's immediate. */
export interface Address {
  readonly pointer: string
  readonly offset: number
}
export const shifted = (a: Address, bytes: number): Address => ({ pointer: a.pointer, offset: a.offset + bytes })

const at = (op: string, a: Address, ...rest: readonly string[]): string =>
  `(${op}${a.offset === 0 ? '' : ` offset=${a.offset}`} ${[a.pointer, ...rest].join(' ')})`
/** Lane instructions take the lane after the immediate. */
const atLane = (op: string, a: Address, lane: number, value: string): string =>
  `(${op}${a.offset === 0 ? '' : ` offset=${a.offset}`} ${lane} ${a.pointer} ${value})`

const scalarLoad = {
  f32: 'f32.load',
  f16: 'i32.load16_u',
  f64: 'f64.load',
  i64: 'i64.load',
  u64: 'i64.load',
  i32: 'i32.load',
  u32: 'i32.load',
  i16: 'i32.load16_s',
  u16: 'i32.load16_u',
  i8: 'i32.load8_s',
  u8: 'i32.load8_u',
  bool: 'i32.load8_u',
} as const satisfies Record<DType, string>

const scalarStore = {
  f32: 'f32.store',
  f16: 'i32.store16',
  f64: 'f64.store',
  i64: 'i64.store',
  u64: 'i64.store',
  i32: 'i32.store',
  u32: 'i32.store',
  i16: 'i32.store16',
  u16: 'i32.store16',
  i8: 'i32.store8',
  u8: 'i32.store8',
  bool: 'i32.store8',
} as const satisfies Record<DType, string>

export const loadScalar = (d: DType, a: Address, s: Spell): string => {
  const bits = at(scalarLoad[d], a)
  if (d === 'f16') return `(call ${s.helper('f16_value')} ${bits})`
  // The host may write any byte for true.
  return d === 'bool' ? `(i32.ne ${bits} (i32.const 0))` : bits
}
export const storeScalar = (d: DType, a: Address, value: string, s: Spell): string =>
  at(scalarStore[d], a, d === 'f16' ? `(call ${s.helper('f16_bits')} ${value})` : value)

/** One element in every lane of a vector, where one instruction does it. */
export const loadSplat = (d: DType, a: Address): string | undefined => {
  switch (d) {
    case 'f32':
    case 'i32':
    case 'u32':
      return at('v128.load32_splat', a)
    case 'f64':
    case 'i64':
    case 'u64':
      return at('v128.load64_splat', a)
    default:
      return undefined
  }
}

/** Elements of 1, 2, 4 and 8 bytes; `count` of them fill the low lanes of one v128. */
export const loadLanes = (d: DType, a: Address, count: number, s: Spell): string => {
  switch (d) {
    case 'f32':
    case 'i32':
    case 'u32':
      return at(count === 4 ? 'v128.load' : count === 2 ? 'v128.load64_zero' : 'v128.load32_zero', a)
    case 'f64':
    case 'i64':
    case 'u64':
      return at(count === 2 ? 'v128.load' : 'v128.load64_zero', a)
    case 'i16':
      return halves(a, count, 's')
    case 'u16':
      return halves(a, count, 'u')
    case 'f16':
      return `(call ${s.helper('f16_value_lanes')} ${halves(a, count, 'u')})`
    case 'i8':
      return bytes(a, count, 's')
    case 'u8':
      return bytes(a, count, 'u')
    case 'bool':
      return `(i32x4.ne ${bytes(a, count, 'u')} (v128.const i32x4 0 0 0 0))`
  }
}
const halves = (a: Address, count: number, sign: 's' | 'u'): string =>
  count === 4
    ? at(`v128.load16x4_${sign}`, a)
    : `(i32x4.extend_low_i16x8_${sign} ${count === 2 ? at('v128.load32_zero', a) : atLane('v128.load16_lane', a, 0, zero)})`
const bytes = (a: Address, count: number, sign: 's' | 'u'): string => {
  const low =
    count === 4 ? at('v128.load32_zero', a) : atLane(count === 2 ? 'v128.load16_lane' : 'v128.load8_lane', a, 0, zero)
  return `(i32x4.extend_low_i16x8_${sign} (i16x8.extend_low_i8x16_${sign} ${low}))`
}
const zero = '(v128.const i32x4 0 0 0 0)'

/** Bits of lanes as memory holds them, still one element a lane. */
export const lanesForMemory = (d: DType, value: string, s: Spell): string =>
  d === 'f16'
    ? `(call ${s.helper('f16_bits_lanes')} ${value})`
    : d === 'bool'
      ? `(v128.and ${value} (v128.const i32x4 1 1 1 1))`
      : value

const evenHalves = '0 1 4 5 8 9 12 13 0 0 0 0 0 0 0 0'
const everyFourth = '0 4 8 12 0 0 0 0 0 0 0 0 0 0 0 0'

/** Stores the low `count` lanes next to one another. */
export const storeLanes = (d: DType, a: Address, value: string, count: number, s: Spell): string => {
  const v = lanesForMemory(d, value, s)
  switch (d) {
    case 'f32':
    case 'i32':
    case 'u32':
      return count === 4
        ? at('v128.store', a, v)
        : atLane(count === 2 ? 'v128.store64_lane' : 'v128.store32_lane', a, 0, v)
    case 'f64':
    case 'i64':
    case 'u64':
      return count === 2 ? at('v128.store', a, v) : atLane('v128.store64_lane', a, 0, v)
    case 'f16':
    case 'i16':
    case 'u16':
      return atLane(laneStore(16 * count), a, 0, packed(v, evenHalves, s))
    case 'i8':
    case 'u8':
    case 'bool':
      return atLane(laneStore(8 * count), a, 0, packed(v, everyFourth, s))
  }
}
const laneStore = (bits: number): string => `v128.store${bits}_lane`
const packed = (v: string, pick: string, s: Spell): string => {
  const held = s.hold(v, 'v128')
  return `(i8x16.shuffle ${pick} ${held} ${held})`
}

/** Stores one lane of bits that {@link lanesForMemory} made. */
export const storeLane = (d: DType, a: Address, bits: string, lane: number): string => {
  switch (d) {
    case 'f16':
    case 'i16':
    case 'u16':
      return atLane('v128.store16_lane', a, lane * 2, bits)
    case 'i8':
    case 'u8':
    case 'bool':
      return atLane('v128.store8_lane', a, lane * 4, bits)
    default:
      return atLane(lanesOf(d) === 4 ? 'v128.store32_lane' : 'v128.store64_lane', a, lane, bits)
  }
}

/** One lane as a scalar, and a scalar put into one lane. Lanes of bool are masks. */
export const extractLane = (d: DType, v: string, lane: number): string => {
  const x = `(${shapeOf(d)}.extract_lane ${lane} ${v})`
  return d === 'bool' ? `(i32.and ${x} (i32.const 1))` : x
}
export const replaceLane = (d: DType, v: string, lane: number, x: string): string =>
  `(${shapeOf(d)}.replace_lane ${lane} ${v} ${d === 'bool' ? `(i32.sub (i32.const 0) ${x})` : x})`
export const splat = (d: DType, x: string): string =>
  `(${shapeOf(d)}.splat ${d === 'bool' ? `(i32.sub (i32.const 0) ${x})` : x})`
