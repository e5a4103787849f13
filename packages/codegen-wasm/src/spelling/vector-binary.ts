/** @file Spellings of the two-operand ops on vectors. What SIMD cannot do is done lane by lane: `lanes`. */
import type { DType } from '@quern/artifact'
import { type BasicBinary } from './scalar-binary.ts'
import { type Class, type Spell, narrowLanes, roundedLanes, shapeOf } from './values.ts'

export type VectorSpelling = (d: DType, a: string, b: string, s: Spell) => string
type Cell = VectorSpelling | 'lanes'
type Row = Partial<Record<Class, Cell>>

const plain =
  (name: string): VectorSpelling =>
  (d, a, b) =>
    `(${shapeOf(d)}.${name} ${a} ${b})`
const cut =
  (name: string): VectorSpelling =>
  (d, a, b, s) =>
    narrowLanes(d, roundedLanes(d, `(${shapeOf(d)}.${name} ${a} ${b})`, s))
const bits =
  (name: string): VectorSpelling =>
  (_, a, b) =>
    `(v128.${name} ${a} ${b})`

const arithmetic = (name: string): Row => ({ float: cut(name), signed: cut(name), unsigned: cut(name) })
const bitwise = (name: string): Row => ({ signed: bits(name), unsigned: bits(name), bool: bits(name) })

/** 64-bit lanes compare only as signed ones: unsigned operands get their top bit flipped. */
const flipped = (x: string): string => `(v128.xor ${x} (v128.const i64x2 0x8000000000000000 0x8000000000000000))`
const unsignedCompare =
  (name: string): VectorSpelling =>
  (d, a, b) =>
    d === 'u64' ? `(i64x2.${name}_s ${flipped(a)} ${flipped(b)})` : `(i32x4.${name}_u ${a} ${b})`
const compared = (name: string): Row => ({
  float: plain(name),
  signed: plain(`${name}_s`),
  unsigned: unsignedCompare(name),
})
const equality = (name: string): Row => ({
  float: plain(name),
  signed: plain(name),
  unsigned: plain(name),
  bool: plain(name),
})

/**
 * `pmax(x, c)` is `x < c ? c : x`: one instruction where `max` takes many on some processors. With a constant c it differs
 * from `max` only in the sign of a zero, and not in that where c is not a zero; adding +0 makes −0 positive.
 */
const floatExtremum =
  (op: 'min' | 'max'): VectorSpelling =>
  (d, a, b) => {
    const shape = shapeOf(d)
    const constant = (x: string): number | undefined => {
      const lane = new RegExp(`^\\(v128\\.const ${shape} (\\S+) `).exec(x)?.[1]
      return lane === undefined ? undefined : Number(lane.replace('inf', 'Infinity'))
    }
    const c = constant(b) ?? constant(a)
    const x = constant(b) === undefined ? b : a
    if (c === undefined || Number.isNaN(c) || (op === 'min' && Object.is(c, -0))) return `(${shape}.${op} ${a} ${b})`
    const chosen = `(${shape}.p${op} ${x} ${constant(b) === undefined ? a : b})`
    if (op === 'min' || !Object.is(c, 0)) return chosen
    return `(${shape}.add ${chosen} (v128.const ${shape}${' 0'.repeat(shape === 'f32x4' ? 4 : 2)}))`
  }

const extremum = (op: 'min' | 'max'): Row => {
  const chosen =
    (sign: 's' | 'u', less: VectorSpelling): VectorSpelling =>
    (d, a, b, s) => {
      if (shapeOf(d) === 'i32x4') return `(i32x4.${op}_${sign} ${a} ${b})`
      const x = s.hold(a, 'v128'),
        y = s.hold(b, 'v128')
      return `(v128.bitselect ${op === 'min' ? `${x} ${y}` : `${y} ${x}`} ${less(d, x, y, s)})`
    }
  return { float: floatExtremum(op), signed: chosen('s', plain('lt_s')), unsigned: chosen('u', unsignedCompare('lt')) }
}

export const vectorBinary = {
  add: arithmetic('add'),
  sub: arithmetic('sub'),
  mul: arithmetic('mul'),
  div: { float: cut('div'), signed: 'lanes', unsigned: 'lanes' },
  rem: { float: 'lanes', signed: 'lanes', unsigned: 'lanes' },
  min: extremum('min'),
  max: extremum('max'),
  and: bitwise('and'),
  or: bitwise('or'),
  xor: bitwise('xor'),
  // One count for all lanes has an instruction (shiftLanes below); a count a lane has none.
  shl: { signed: 'lanes', unsigned: 'lanes' },
  shr: { signed: 'lanes', unsigned: 'lanes' },
  eq: equality('eq'),
  ne: equality('ne'),
  lt: compared('lt'),
  le: compared('le'),
  gt: compared('gt'),
  ge: compared('ge'),
} as const satisfies Record<BasicBinary, Row>

/** A shift of every lane by one count, an i32 expression already reduced to the dtype's width. */
export const shiftLanes = (op: 'shl' | 'shr', d: DType, value: string, count: string, signed: boolean): string =>
  narrowLanes(d, `(${shapeOf(d)}.${op === 'shl' ? 'shl' : signed ? 'shr_s' : 'shr_u'} ${value} ${count})`)
