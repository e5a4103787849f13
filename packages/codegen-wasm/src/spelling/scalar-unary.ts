/** @file Spellings of the one-operand scalar ops, for every class of dtype. */
import { type UnaryOp, unaryOps } from '@quern/core-ir'
import type { DType } from '@quern/artifact'
import { type Class, type Spell, narrow, repOf, rounded } from './values.ts'

export type BasicUnary = { [K in UnaryOp]: (typeof unaryOps)[K]['basic'] extends true ? K : never }[UnaryOp]
export const isBasicUnary = (op: UnaryOp): op is BasicUnary => unaryOps[op].basic

type Spelling = (d: DType, x: string, s: Spell) => string
type Row = Partial<Record<Class, Spelling>>

const plain =
  (name: string): Spelling =>
  (d, x) =>
    `(${repOf[d]}.${name} ${x})`
const floating = (name: string): Row => ({ float: plain(name) })

const negated: Spelling = (d, x) => narrow(d, `(${repOf[d]}.sub (${repOf[d]}.const 0) ${x})`)
const inverted: Spelling = (d, x) => narrow(d, `(${repOf[d]}.xor ${x} (${repOf[d]}.const -1))`)

/** (x ^ s) − s, where s is the sign spread over all bits. */
const absolute: Spelling = (d, x, s) => {
  const rep = repOf[d]
  const held = s.hold(x, rep)
  const sign = s.hold(`(${rep}.shr_s ${held} (${rep}.const ${rep === 'i64' ? 63 : 31}))`, rep)
  return narrow(d, `(${rep}.sub (${rep}.xor ${held} ${sign}) ${sign})`)
}

export const scalarUnary = {
  neg: { float: plain('neg'), signed: negated, unsigned: negated },
  abs: { float: plain('abs'), signed: absolute, unsigned: (_, x) => x },
  floor: floating('floor'),
  ceil: floating('ceil'),
  trunc: floating('trunc'),
  round: floating('nearest'),
  sqrt: { float: (d, x, s) => rounded(d, `(${repOf[d]}.sqrt ${x})`, s) },
  not: { signed: inverted, unsigned: inverted, bool: (_, x) => `(i32.eqz ${x})` },
  isnan: {
    float: (d, x, s) => {
      const held = s.hold(x, repOf[d])
      return `(${repOf[d]}.ne ${held} ${held})`
    },
  },
} as const satisfies Record<BasicUnary, Row>
