/** @file Reductions over axes: one op for each reducer that combines values. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { TensorType, Value } from '../graph/graph.ts'
import { type Index, constant, variable } from '../index/index-expr.ts'
import type { Accepts } from '../scalar/scalar-ops.ts'
import { type Scalar, reduce } from '../scalar/scalar.ts'
import type { Combiner } from '../scalar/reduce.ts'
import { arithmetic, filled, spreadOver } from './calculus.ts'
import { type AnyOp, type Operand, defineOp, erase } from './define-op.ts'
import { axesInRange, canonicalAxes, dim, dtypeIs } from './shapes.ts'

/** The shape that remains. */
export const reducedShape = (x: TensorType, axes: readonly number[], keepDims: boolean): Index[] =>
  x.shape.flatMap((d, i) => (axes.includes(i) ? (keepDims ? [constant(1)] : []) : [d]))

/** The subscripts of x from those of the result and those along the reduced axes. */
export const unreduced = (
  out: readonly Index[],
  along: readonly Index[],
  axes: readonly number[],
  rank: number,
  keepDims: boolean,
): Index[] => {
  let kept = 0
  return Array.from({ length: rank }, (_, i) => {
    const at = axes.indexOf(i)
    if (at < 0) return out[keepDims ? i : kept++] ?? constant(0)
    return along[at] ?? constant(0)
  })
}

const reduceOver = (
  kind: Combiner,
  x: Operand,
  axes: readonly number[],
  at: (along: readonly Index[]) => Scalar,
): Scalar => {
  const loops = axes.map((axis, i) => ({ name: `$k${i}`, extent: dim(x.type, axis) }))
  return reduce(kind, loops, at(loops.map(l => variable(l.name))))
}

interface Case {
  readonly g: Value
  readonly x: Value
  readonly y: Value
  readonly b: GraphBuilder
  /** Stretches what the reduction left over the shape of x. */
  readonly spread: (v: Value) => Value
  readonly sum: (v: Value) => Value
  /** The same reduction of another tensor. */
  readonly again: (v: Value) => Value
}
type Rule = ((c: Case) => Value) | 'none'

/** Equal winners share the gradient. */
const ofWinners: Rule = ({ g, x, y, b, spread, sum }) => {
  const { eq, select, div } = arithmetic(b)
  const ones = select(eq(x, spread(y)), filled(b, 1, x.type), 0)
  return div(select(eq(x, spread(y)), spread(g), 0), spread(sum(ones)))
}

const rows = {
  sum: { accepts: 'number', doc: 'Sum over axes; 0 over nothing. Integers wrap.', rule: ({ g, spread }) => spread(g) },
  prod: {
    accepts: 'number',
    doc: 'Product over axes; 1 over nothing. Integers wrap.',
    // Where one factor is zero it alone has a gradient: the product of the others. Where two are, none has.
    rule: ({ g, x, y, b, spread, sum, again }) => {
      const { eq, select, mul, div } = arithmetic(b)
      const isZero = eq(x, 0)
      const zeros = spread(sum(select(isZero, filled(b, 1, x.type), 0)))
      const others = again(select(isZero, filled(b, 1, x.type), x))
      const usual = div(spread(mul(g, y)), select(isZero, filled(b, 1, x.type), x))
      return select(isZero, select(eq(zeros, 1), spread(mul(g, others)), 0), usual)
    },
  },
  max: {
    accepts: 'number',
    doc: 'Largest over axes, NaN if there is one; the lowest value over nothing.',
    rule: ofWinners,
  },
  min: {
    accepts: 'number',
    doc: 'Smallest over axes, NaN if there is one; the highest value over nothing.',
    rule: ofWinners,
  },
  any: {
    accepts: 'bool',
    doc: 'Whether any is true; false over nothing. Not differentiable: the result is a truth.',
    rule: 'none',
  },
  all: {
    accepts: 'bool',
    doc: 'Whether all are true; true over nothing. Not differentiable: the result is a truth.',
    rule: 'none',
  },
} as const satisfies Record<Combiner, { readonly accepts: Accepts; readonly doc: string; readonly rule: Rule }>

const reduction = (kind: Combiner): AnyOp => {
  const { accepts, doc, rule } = rows[kind]
  const dtype = accepts === 'bool' ? 'bool' : 'f32'
  return erase(
    defineOp({
      name: `reduce-${kind}`,
      doc,
      class: 'reduction',
      operands: ['x'],
      attrs: {
        axes: { kind: 'ints', default: [], doc: 'The axes to reduce, in any order; none given means all.' },
        keepDims: { kind: 'bool', default: false, doc: 'Reduced axes stay with extent 1.' },
      },
      canonical: ({ x }, a) => ({
        ...a,
        axes: a.axes.length === 0 ? x.shape.map((_, i) => i) : canonicalAxes(a.axes, x.shape.length),
      }),
      constraints: [dtypeIs('x', accepts), axesInRange],
      infer: ({ x }, a) => [{ dtype: x.dtype, shape: reducedShape(x, a.axes, a.keepDims) }],
      compute: (out, { x }, a) =>
        a.axes.length === 0
          ? x.at(...out)
          : reduceOver(kind, x, a.axes, along =>
              x.at(...unreduced(out, along, a.axes, x.type.shape.length, a.keepDims)),
            ),
      gradient:
        rule === 'none'
          ? rule
          : ([g], { builder: b, operands: { x }, results: [y] }, a) => {
              if (g === undefined || y === undefined) return {}
              const spread = (v: Value): Value => spreadOver(b, v, a.axes, x.type.shape)
              const sum = (v: Value): Value => b.one('reduce-sum', [v], a)
              return { x: rule({ g, x, y, b, spread, sum, again: v => b.one(`reduce-${kind}`, [v], a) }) }
            },
      example: `graph example(%x: ${dtype}[2,3]) {
  %0 = reduce-${kind}(%x, axes=[1]) : ${dtype}[2]
  return y = %0
}`,
    }),
  )
}

const kinds = Object.keys(rows) as Combiner[]
export const reductions: readonly AnyOp[] = kinds.map(reduction)
