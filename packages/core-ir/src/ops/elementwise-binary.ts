/** @file Element-wise ops of two operands of one type: one op for each binary scalar op. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { type BinaryOp, binaryOps } from '../scalar/scalar-ops.ts'
import { binary } from '../scalar/scalar.ts'
import { arithmetic } from './calculus.ts'
import { type AnyOp, type GradientContext, defineOp, erase } from './define-op.ts'
import { dtypeIs, sameDTypes, sameShapes } from './shapes.ts'

interface Pair {
  readonly lhs: Value
  readonly rhs: Value
}
/** Gradients of both operands from that of the result; `none` where results are bits or truths. */
type Rule = ((g: Value, pair: Pair, result: Value, b: GraphBuilder) => Partial<Pair>) | 'none'

/** The winner takes the gradient; a tie shares it. */
const extremum =
  (wins: 'lt' | 'gt'): Rule =>
  (g, { lhs, rhs }, _result, b) => {
    const { select, eq, mul, ...ops } = arithmetic(b)
    const half = mul(g, 0.5)
    const share = (x: Value, y: Value): Value => select(ops[wins](x, y), g, select(eq(x, y), half, 0))
    return { lhs: share(lhs, rhs), rhs: share(rhs, lhs) }
  }

const rules = {
  add: g => ({ lhs: g, rhs: g }),
  sub: (g, _p, _r, b) => ({ lhs: g, rhs: arithmetic(b).neg(g) }),
  mul: (g, { lhs, rhs }, _r, b) => ({ lhs: arithmetic(b).mul(g, rhs), rhs: arithmetic(b).mul(g, lhs) }),
  div: (g, { rhs }, result, b) => {
    const { div, neg, mul } = arithmetic(b)
    return { lhs: div(g, rhs), rhs: neg(div(mul(g, result), rhs)) }
  },
  rem: (g, { lhs, rhs }, _r, b) => {
    const { neg, mul, trunc, div } = arithmetic(b)
    return { lhs: g, rhs: neg(mul(g, trunc(div(lhs, rhs)))) }
  },
  min: extremum('lt'),
  max: extremum('gt'),
  pow: (g, { lhs, rhs }, result, b) => {
    const { mul, pow, sub, eq, gt, log, select } = arithmetic(b)
    // x⁰ is 1 everywhere, and 0ʸ is 0 around y > 0: neither may bring in the infinity of the other factor.
    return {
      lhs: select(eq(rhs, 0), 0, mul(g, mul(rhs, pow(lhs, sub(rhs, 1))))),
      rhs: select(gt(lhs, 0), mul(g, mul(result, log(lhs))), 0),
    }
  },
  and: 'none',
  or: 'none',
  xor: 'none',
  shl: 'none',
  shr: 'none',
  eq: 'none',
  ne: 'none',
  lt: 'none',
  le: 'none',
  gt: 'none',
  ge: 'none',
} as const satisfies Record<BinaryOp, Rule>

const gradientOf = (rule: Rule) =>
  rule === 'none'
    ? rule
    : ([g]: readonly (Value | undefined)[], { builder, operands, results: [result] }: GradientContext<Pair>) =>
        g === undefined || result === undefined ? {} : rule(g, operands, result, builder)

const exampleDType = { any: 'f32', number: 'f32', float: 'f32', integer: 'i32', bits: 'i32' } as const

const binaryOp = (name: BinaryOp): AnyOp => {
  const row = binaryOps[name]
  const rule = rules[name]
  const dtype = exampleDType[row.accepts]
  return erase(
    defineOp({
      name,
      doc: `${row.doc}${rule === 'none' ? ' Not differentiable: the result is bits or truths.' : ''}`,
      class: 'injective',
      operands: ['lhs', 'rhs'],
      attrs: {},
      constraints: [
        sameDTypes('lhs', 'rhs'),
        ...(row.accepts === 'any' ? [] : [dtypeIs('lhs', row.accepts)]),
        sameShapes('lhs', 'rhs'),
      ],
      infer: ({ lhs }) => [{ dtype: row.result === 'bool' ? 'bool' : lhs.dtype, shape: lhs.shape }],
      compute: (out, { lhs, rhs }) => binary(name, lhs.at(...out), rhs.at(...out)),
      gradient: gradientOf(rule),
      example: `graph example(%a: ${dtype}[2,3], %b: ${dtype}[2,3]) {
  %0 = ${name}(%a, %b) : ${row.result === 'bool' ? 'bool' : dtype}[2,3]
  return y = %0
}`,
    }),
  )
}

const names = Object.keys(binaryOps) as BinaryOp[]
export const elementwiseBinary: readonly AnyOp[] = names.map(binaryOp)
