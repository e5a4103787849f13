/** @file The spelling of every basic unary op. */
import { type UnaryOp, unaryOps } from '@quern/core-ir'
import type { Helpers } from './helpers.ts'
import { type Held, type Lanes, typeName } from './types.ts'

export type BasicUnary = {
  [K in UnaryOp]: (typeof unaryOps)[K]['basic'] extends true ? K : never
}[UnaryOp]
export const isBasicUnary = (op: UnaryOp): op is BasicUnary => unaryOps[op].basic

export interface UnaryOperand {
  readonly a: string
  readonly held: Held
  readonly lanes: Lanes
  readonly helpers: Helpers
}

const call =
  (name: string) =>
  ({ a }: UnaryOperand): string =>
    `${name}(${a})`

const wide = ({ a, held, lanes }: UnaryOperand): string => (held === 'f16' ? `${typeName('f32', lanes)}(${a})` : a)

export const spellUnary = {
  neg: ({ a, held, lanes }) => (held === 'u32' ? `(${typeName('u32', lanes)}(0u) - ${a})` : `(-${a})`),
  abs: call('abs'),
  floor: call('floor'),
  ceil: call('ceil'),
  trunc: call('trunc'),
  round: call('round'),
  sqrt: o => {
    const root = `${o.helpers.use('sqrt_f32', o.lanes)}(${wide(o)})`
    return o.held === 'f16' ? `${typeName('f16', o.lanes)}(${root})` : root
  },
  not: ({ a, held }) => (held === 'bool' ? `(!${a})` : `(~${a})`),
  isnan: o => `${o.helpers.use('is_nan', o.lanes)}(${wide(o)})`,
} as const satisfies Record<BasicUnary, (o: UnaryOperand) => string>

/** Ops whose result may leave the range of an 8- or 16-bit integer, or needs rounding to f16. */
export const unaryMayOverflow: ReadonlySet<UnaryOp> = new Set(['neg', 'abs', 'not', 'sqrt'] as const)
