/** @file What gradient rules and decompositions write with: arithmetic on values, and numbers shaped like a value. */
import { type Index, sameIndex } from '../index/index-expr.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { TensorType, Value } from '../graph/graph.ts'
import { isOne } from './shapes.ts'

export const scalarConstant = (b: GraphBuilder, value: number, dtype: TensorType['dtype']): Value =>
  b.one('constant', [], { data: { kind: 'inline', values: [value] }, dtype, shape: [] })

/** `x` stretched to a shape; itself where it has that shape. */
export const broadcastTo = (b: GraphBuilder, x: Value, shape: readonly Index[]): Value =>
  sameShape(x.type.shape, shape) ? x : b.one('broadcast', [x], { shape })

/** A number in every element of a tensor like `like`. */
export const filled = (b: GraphBuilder, value: number, like: TensorType): Value =>
  broadcastTo(b, scalarConstant(b, value, like.dtype), like.shape)

/** The adjoint of a broadcast: `x` summed to a shape; itself where it has that shape. */
export const sumTo = (b: GraphBuilder, x: Value, shape: readonly Index[]): Value =>
  sameShape(x.type.shape, shape) ? x : b.one('sum-to', [x], { shape })

export const reshapeTo = (b: GraphBuilder, x: Value, shape: readonly Index[]): Value =>
  sameShape(x.type.shape, shape) ? x : b.one('reshape', [x], { shape })

/** What a reduction left, stretched over the axes it removed (or kept as one). */
export const spreadOver = (
  b: GraphBuilder,
  reduced: Value,
  axes: readonly number[],
  shape: readonly Index[],
): Value => {
  const kept = shape.map((d, i) => (axes.includes(i) ? undefined : d))
  const keepDims = kept.map(d => d ?? one)
  return broadcastTo(b, reshapeTo(b, reduced, keepDims), shape)
}

const one: Index = { kind: 'const', value: 1, key: '1' }

export const sameShape = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.length === b.length && a.every((d, i) => sameIndex(d, b[i] ?? -1))

/** The axes over which `from` has to be summed to give `to`, aligned at the end. */
export const stretchedAxes = (from: readonly Index[], to: readonly Index[]): number[] => {
  const extra = from.length - to.length
  return from.flatMap((d, i) => (i < extra || (isOne(to[i - extra] ?? d) && !isOne(d)) ? [i] : []))
}

/** Arithmetic on values of one shape; a number stands for a constant like the other operand. */
export const arithmetic = (b: GraphBuilder) => {
  const pair =
    (op: string) =>
    (x: Value, y: Value | number): Value =>
      b.one(op, [x, typeof y === 'number' ? filled(b, y, x.type) : y])
  const single =
    (op: string) =>
    (x: Value): Value =>
      b.one(op, [x])
  return {
    add: pair('add'),
    sub: pair('sub'),
    mul: pair('mul'),
    div: pair('div'),
    pow: pair('pow'),
    min: pair('min'),
    max: pair('max'),
    eq: pair('eq'),
    lt: pair('lt'),
    gt: pair('gt'),
    neg: single('neg'),
    exp: single('exp'),
    log: single('log'),
    sin: single('sin'),
    cos: single('cos'),
    sqrt: single('sqrt'),
    tanh: single('tanh'),
    erf: single('erf'),
    sigmoid: single('sigmoid'),
    trunc: single('trunc'),
    select: (condition: Value, then: Value | number, otherwise: Value | number): Value => {
      const like = typeof then === 'number' ? otherwise : then
      if (typeof like === 'number') throw new TypeError('select needs one value for its type')
      const value = (v: Value | number): Value => (typeof v === 'number' ? filled(b, v, like.type) : v)
      return b.one('select', [condition, value(then), value(otherwise)])
    },
  }
}
