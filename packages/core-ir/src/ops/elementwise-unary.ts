/** @file Element-wise ops of one operand: one op for each unary scalar op. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { type UnaryOp, unaryOps } from '../scalar/scalar-ops.ts'
import { unary } from '../scalar/scalar.ts'
import { arithmetic } from './calculus.ts'
import { type AnyOp, defineOp, erase } from './define-op.ts'
import { dtypeIs } from './shapes.ts'

/** The operand's gradient from the result's, `g`. `zero`: constant almost everywhere. `none`: results are not numbers. */
type Rule = ((g: Value, x: Value, y: Value, b: GraphBuilder) => Value) | 'zero' | 'none'

const rules = {
  neg: (g, _x, _y, b) => arithmetic(b).neg(g),
  abs: (g, x, _y, b) => {
    const { select, lt, gt, neg } = arithmetic(b)
    return select(lt(x, 0), neg(g), select(gt(x, 0), g, 0))
  },
  floor: 'zero',
  ceil: 'zero',
  trunc: 'zero',
  round: 'zero',
  sqrt: (g, _x, y, b) => arithmetic(b).div(arithmetic(b).mul(g, 0.5), y),
  not: 'none',
  isnan: 'none',
  exp: (g, _x, y, b) => arithmetic(b).mul(g, y),
  log: (g, x, _y, b) => arithmetic(b).div(g, x),
  sin: (g, x, _y, b) => arithmetic(b).mul(g, arithmetic(b).cos(x)),
  cos: (g, x, _y, b) => arithmetic(b).neg(arithmetic(b).mul(g, arithmetic(b).sin(x))),
  tanh: (g, _x, y, b) => {
    const { mul, sub } = arithmetic(b)
    return sub(g, mul(g, mul(y, y)))
  },
  erf: (g, x, _y, b) => {
    const { mul, exp, neg } = arithmetic(b)
    return mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))
  },
  sigmoid: (g, _x, y, b) => {
    const { mul, sub } = arithmetic(b)
    return mul(g, sub(y, mul(y, y)))
  },
} as const satisfies Record<UnaryOp, Rule>

const gradientOf = (rule: Rule) => {
  if (typeof rule === 'string') return rule
  return (
    [g]: readonly (Value | undefined)[],
    {
      builder,
      operands: { x },
      results: [y],
    }: { builder: GraphBuilder; operands: { x: Value }; results: readonly Value[] },
  ) => (g === undefined || y === undefined ? {} : { x: rule(g, x, y, builder) })
}

const unaryOp = (name: UnaryOp): AnyOp => {
  const row = unaryOps[name]
  const rule = rules[name]
  const dtype = row.accepts === 'bits' ? 'bool' : 'f32'
  const result = row.result === 'bool' ? 'bool' : dtype
  return erase(
    defineOp({
      name,
      doc: `${row.doc}${rule === 'none' ? ' Not differentiable: the result is no number.' : ''}`,
      class: 'injective',
      operands: ['x'],
      attrs: {},
      constraints: [dtypeIs('x', row.accepts)],
      infer: ({ x }) => [{ dtype: row.result === 'bool' ? 'bool' : x.dtype, shape: x.shape }],
      compute: (out, { x }) => unary(name, x.at(...out)),
      gradient: gradientOf(rule),
      example: `graph example(%x: ${dtype}[2,3]) {
  %0 = ${name}(%x) : ${result}[2,3]
  return y = %0
}`,
    }),
  )
}

const names = Object.keys(unaryOps) as UnaryOp[]
export const elementwiseUnary: readonly AnyOp[] = names.map(unaryOp)
