/** @file Softmax and its logarithm. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'
import { arithmetic, broadcastTo } from './calculus.ts'
import { defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dtypeIs } from './shapes.ts'

const axisAttr = { axis: { kind: 'int', default: -1, doc: 'The axis whose elements compete.' } } as const

/** A reduction along the axis, stretched over it again. */
const along = (b: GraphBuilder, op: string, x: Value, axis: number): Value =>
  broadcastTo(b, b.one(op, [x], { axes: [axis], keepDims: true }), x.type.shape)

export const softmax = defineOp({
  name: 'softmax',
  doc: 'exp(x - max) / sum(exp(x - max)) along an axis.',
  class: 'composite',
  family: 'row',
  operands: ['x'],
  attrs: axisAttr,
  canonical: ({ x }, { axis }) => ({ axis: canonicalAxis(axis, x.shape.length) }),
  constraints: [dtypeIs('x', 'float'), axisInRange],
  infer: ({ x }) => [x],
  decompose: (b, { x }, { axis }) => {
    const { sub, exp, div } = arithmetic(b)
    const e = exp(sub(x, along(b, 'reduce-max', x, axis)))
    return [div(e, along(b, 'reduce-sum', e, axis))]
  },
  gradient: ([g], { builder: b, results: [y] }, { axis }) => {
    if (g === undefined || y === undefined) return {}
    const { mul, sub } = arithmetic(b)
    return { x: mul(y, sub(g, along(b, 'reduce-sum', mul(g, y), axis))) }
  },
  example: `graph example(%x: f32[2,3]) {
  %0 = softmax(%x, axis=1) : f32[2,3]
  return y = %0
}`,
})

export const logSoftmax = defineOp({
  name: 'log-softmax',
  doc: 'The logarithm of softmax: x - max - log(sum(exp(x - max))) along an axis.',
  class: 'composite',
  family: 'row',
  operands: ['x'],
  attrs: axisAttr,
  canonical: ({ x }, { axis }) => ({ axis: canonicalAxis(axis, x.shape.length) }),
  constraints: [dtypeIs('x', 'float'), axisInRange],
  infer: ({ x }) => [x],
  decompose: (b, { x }, { axis }) => {
    const { sub, exp } = arithmetic(b)
    const shifted = sub(x, along(b, 'reduce-max', x, axis))
    const total = b.one('reduce-sum', [exp(shifted)], { axes: [axis], keepDims: true })
    return [sub(shifted, broadcastTo(b, b.one('log', [total]), x.type.shape))]
  },
  gradient: ([g], { builder: b, results: [y] }, { axis }) => {
    if (g === undefined || y === undefined) return {}
    const { mul, sub, exp } = arithmetic(b)
    return { x: sub(g, mul(exp(y), along(b, 'reduce-sum', g, axis))) }
  },
  example: `graph example(%x: f32[2,3]) {
  %0 = log-softmax(%x, axis=1) : f32[2,3]
  return y = %0
}`,
})
