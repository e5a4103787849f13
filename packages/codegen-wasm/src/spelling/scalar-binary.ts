/** @file Spellings of the two-operand scalar ops, for every class of dtype. */
import { type BinaryOp, binaryOps } from '@quern/core-ir'
import type { DType } from '@quern/artifact'
import { type Class, type Spell, bitsOf, narrow, repOf, rounded } from './values.ts'

export type BasicBinary = { [K in BinaryOp]: (typeof binaryOps)[K]['basic'] extends true ? K : never }[BinaryOp]
export const isBasicBinary = (op: BinaryOp): op is BasicBinary => binaryOps[op].basic

type Spelling = (d: DType, a: string, b: string, s: Spell) => string
type Row = Partial<Record<Class, Spelling>>

const plain =
  (name: string): Spelling =>
  (d, a, b) =>
    `(${repOf[d]}.${name} ${a} ${b})`
/** Computed wider, then cut back to the dtype. */
const cut =
  (name: string): Spelling =>
  (d, a, b, s) =>
    narrow(d, rounded(d, `(${repOf[d]}.${name} ${a} ${b})`, s))

const arithmetic = (name: string): Row => ({ float: cut(name), signed: cut(name), unsigned: cut(name) })
const bitwise = (name: string): Row => ({ signed: plain(name), unsigned: plain(name), bool: plain(name) })
const compared = (name: string): Row => ({
  float: plain(name),
  signed: plain(`${name}_s`),
  unsigned: plain(`${name}_u`),
})
const equality = (name: string): Row => ({
  float: plain(name),
  signed: plain(name),
  unsigned: plain(name),
  bool: plain(name),
})

/** Wasm traps where the scalar op is total, unless the divisor is a constant that cannot trap. */
const divided =
  (op: 'div' | 'rem', sign: 's' | 'u'): Spelling =>
  (d, a, b, s) => {
    const rep = repOf[d]
    const divisor = /^\(i(?:32|64)\.const (-?\d+)\)$/.exec(b)?.[1]
    const safe = divisor !== undefined && divisor !== '0' && divisor !== '-1'
    const helper = `${op}_${sign === 's' ? 'i' : 'u'}${rep === 'i64' ? 64 : 32}` as const
    return narrow(d, safe ? `(${rep}.${op}_${sign} ${a} ${b})` : `(call ${s.helper(helper)} ${a} ${b})`)
  }

const remainder: Spelling = (d, a, b, s) =>
  d === 'f64'
    ? `(call ${s.helper('rem_f64')} ${a} ${b})`
    : `(f32.demote_f64 (call ${s.helper('rem_f64')} (f64.promote_f32 ${a}) (f64.promote_f32 ${b})))`

const extremum = (op: 'min' | 'max'): Row => {
  const chosen =
    (sign: 's' | 'u'): Spelling =>
    (d, a, b, s) => {
      const rep = repOf[d]
      const x = s.hold(a, rep),
        y = s.hold(b, rep)
      return `(select ${x} ${y} (${rep}.${op === 'min' ? 'lt' : 'gt'}_${sign} ${x} ${y}))`
    }
  return { float: plain(op), signed: chosen('s'), unsigned: chosen('u') }
}

/** Wasm takes counts modulo 32 and 64 by itself; narrower dtypes need it spelled. */
const shifted =
  (name: string): Spelling =>
  (d, a, b) => {
    const count = bitsOf[d] < 32 ? `(i32.and ${b} (i32.const ${bitsOf[d] - 1}))` : b
    return narrow(d, `(${repOf[d]}.${name} ${a} ${count})`)
  }

export const scalarBinary = {
  add: arithmetic('add'),
  sub: arithmetic('sub'),
  mul: arithmetic('mul'),
  div: { float: cut('div'), signed: divided('div', 's'), unsigned: divided('div', 'u') },
  rem: { float: remainder, signed: divided('rem', 's'), unsigned: divided('rem', 'u') },
  min: extremum('min'),
  max: extremum('max'),
  and: bitwise('and'),
  or: bitwise('or'),
  xor: bitwise('xor'),
  shl: { signed: shifted('shl'), unsigned: shifted('shl') },
  shr: { signed: shifted('shr_s'), unsigned: shifted('shr_u') },
  eq: equality('eq'),
  ne: equality('ne'),
  lt: compared('lt'),
  le: compared('le'),
  gt: compared('gt'),
  ge: compared('ge'),
} as const satisfies Record<BasicBinary, Row>
