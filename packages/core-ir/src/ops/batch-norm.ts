/** @file Normalisation by statistics that are given, a mean and a variance for each channel. */
import type { TensorType, Value } from '../graph/graph.ts'
import { printTensorType } from '../graph/print-type.ts'
import { constant } from '../index/index-expr.ts'
import { arithmetic, broadcastTo, filled, reshapeTo } from './calculus.ts'
import { type Constraint, defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs, equalShapes, rank } from './shapes.ts'

type Channel = 'mean' | 'variance' | 'scale' | 'bias'
type Types = { readonly x: TensorType } & { readonly [K in Channel]?: TensorType | undefined }

const fits = (name: Channel): Constraint<Types, { readonly axis: number }> => ({
  id: `${name}-fits`,
  says: `${name} has the dtype of x, and one element for each place along axis`,
  holds: (types, { axis }, context) => {
    const t = types[name]
    return (
      t === undefined ||
      (t.dtype === types.x.dtype && equalShapes(t.shape, types.x.shape.slice(axis, axis + 1), context))
    )
  },
  found: (types, { axis }) =>
    `it is ${printTensorType(types[name] ?? types.x)} for ${printTensorType(types.x)} along axis ${axis}`,
})

export const batchNorm = defineOp({
  name: 'batch-norm',
  doc: '(x − mean) · scale / √(variance + epsilon) + bias, with one of each for every place along an axis: batch normalisation as inference does it.',
  class: 'composite',
  operands: ['x', 'mean', 'variance', 'scale?', 'bias?'],
  attrs: {
    axis: { kind: 'int', default: 1, doc: 'The axis of the channels.' },
    epsilon: { kind: 'float', default: 1e-5, doc: 'Added to the variance before its root is taken.' },
  },
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [dtypeIs('x', 'float'), axisInRange, fits('mean'), fits('variance'), fits('scale'), fits('bias')],
  infer: ({ x }) => [x],
  decompose: (b, { x, mean, variance, scale, bias }, { axis, epsilon }) => {
    const { add, sub, mul, div, sqrt } = arithmetic(b)
    const { shape } = x.type
    const column = [dim(x.type, axis), ...shape.slice(axis + 1).map(() => constant(1))]
    const spread = (v: Value): Value => broadcastTo(b, reshapeTo(b, v, column), shape)
    // On the few numbers of a channel first: what is left for every element is one subtraction, one product and one sum.
    const factor = div(scale ?? filled(b, 1, variance.type), sqrt(add(variance, epsilon)))
    const scaled = mul(sub(x, spread(mean)), spread(factor))
    return [bias === undefined ? scaled : add(scaled, spread(bias))]
  },
  example: `graph example(%x: f32[2,3,4], %m: f32[3], %v: f32[3], %s: f32[3], %b: f32[3]) {
  %a = abs(%v) : f32[3]
  %0 = batch-norm(%x, %m, %a, %s, %b) : f32[2,3,4]
  return y = %0
}`,
})
