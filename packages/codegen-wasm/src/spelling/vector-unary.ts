/** @file Spellings of the one-operand ops on vectors; SIMD has them all. */
import type { DType } from '@quern/artifact'
import type { BasicUnary } from './scalar-unary.ts'
import { type Class, type Spell, narrowLanes, roundedLanes, shapeOf } from './values.ts'

type Spelling = (d: DType, x: string, s: Spell) => string
type Row = Partial<Record<Class, Spelling>>

const plain =
  (name: string): Spelling =>
  (d, x) =>
    `(${shapeOf(d)}.${name} ${x})`
const cut =
  (name: string): Spelling =>
  (d, x, s) =>
    narrowLanes(d, roundedLanes(d, `(${shapeOf(d)}.${name} ${x})`, s))
const floating = (name: string): Row => ({ float: plain(name) })

export const vectorUnary = {
  neg: { float: plain('neg'), signed: cut('neg'), unsigned: cut('neg') },
  abs: { float: plain('abs'), signed: cut('abs'), unsigned: (_, x) => x },
  floor: floating('floor'),
  ceil: floating('ceil'),
  trunc: floating('trunc'),
  round: floating('nearest'),
  sqrt: { float: cut('sqrt') },
  not: {
    signed: (_, x) => `(v128.not ${x})`,
    unsigned: (d, x) => narrowLanes(d, `(v128.not ${x})`),
    bool: (_, x) => `(v128.not ${x})`,
  },
  isnan: {
    float: (d, x, s) => {
      const held = s.hold(x, 'v128')
      return `(${shapeOf(d)}.ne ${held} ${held})`
    },
  },
} as const satisfies Record<BasicUnary, Row>
