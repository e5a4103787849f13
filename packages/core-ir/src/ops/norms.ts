/** @file Layer norm and root-mean-square norm. */
import type { GraphBuilder } from '../graph/builder.ts'
import type { TensorType, Value } from '../graph/graph.ts'
import { product } from '../index/index-expr.ts'
import { printTensorType } from '../graph/print-type.ts'
import { arithmetic, broadcastTo, scalarConstant } from './calculus.ts'
import { type AttrSpec, type Constraint, defineOp } from './define-op.ts'
import { axisInRange, canonicalAxis, dtypeIs, equalShapes, rank } from './shapes.ts'

const attrs = {
  axis: { kind: 'int', default: -1, doc: 'The first axis of a row; a row has this one and those behind it.' },
  epsilon: { kind: 'float', default: 1e-5, doc: 'Added to the mean square before its root is taken.' },
} as const satisfies Record<string, AttrSpec>

type Types = { readonly x: TensorType; readonly scale: TensorType | undefined; readonly bias?: TensorType | undefined }

const fits = (name: 'scale' | 'bias'): Constraint<Types, { readonly axis: number }> => ({
  id: `${name}-fits`,
  says: `${name} has the dtype of x and the dims of x from axis on`,
  holds: (types, { axis }, context) => {
    const t = types[name]
    return t === undefined || (t.dtype === types.x.dtype && equalShapes(t.shape, types.x.shape.slice(axis), context))
  },
  found: (types, { axis }) =>
    `it is ${printTensorType(types[name] ?? types.x)} for ${printTensorType(types.x)} from axis ${axis}`,
})

/** The mean over rows, with their axes kept as one. */
const meanOver = (b: GraphBuilder, x: Value, axis: number): Value => {
  const axes = x.type.shape.flatMap((_, i) => (i < axis ? [] : [i]))
  const total = b.one('reduce-sum', [x], { axes, keepDims: true })
  const count = b.one('dim-value', [], { value: product(x.type.shape.slice(axis)), dtype: x.type.dtype })
  return b.one('div', [total, broadcastTo(b, count, total.type.shape)])
}

/** x / √(mean(x²) + ε), scaled and shifted. */
const normalised = (
  b: GraphBuilder,
  x: Value,
  scale: Value | undefined,
  bias: Value | undefined,
  axis: number,
  epsilon: number,
): Value => {
  const { mul, add, div, sqrt } = arithmetic(b)
  const square = meanOver(b, mul(x, x), axis)
  const root = sqrt(add(square, broadcastTo(b, scalarConstant(b, epsilon, x.type.dtype), square.type.shape)))
  const { shape } = x.type
  const unit = div(x, broadcastTo(b, root, shape))
  const scaled = scale === undefined ? unit : mul(unit, broadcastTo(b, scale, shape))
  return bias === undefined ? scaled : add(scaled, broadcastTo(b, bias, shape))
}

export const layerNorm = defineOp({
  name: 'layer-norm',
  doc: 'Rows shifted to mean 0 and divided by the root of their variance + epsilon, then scaled and shifted.',
  class: 'composite',
  family: 'row',
  operands: ['x', 'scale?', 'bias?'],
  attrs,
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [dtypeIs('x', 'float'), axisInRange, fits('scale'), fits('bias')],
  infer: ({ x }) => [x],
  decompose: (b, { x, scale, bias }, { axis, epsilon }) => {
    const centred = arithmetic(b).sub(x, broadcastTo(b, meanOver(b, x, axis), x.type.shape))
    return [normalised(b, centred, scale, bias, axis, epsilon)]
  },
  example: `graph example(%x: f32[2,3], %s: f32[3], %b: f32[3]) {
  %0 = layer-norm(%x, %s, %b, axis=1) : f32[2,3]
  return y = %0
}`,
})

export const rmsNorm = defineOp({
  name: 'rms-norm',
  doc: 'Rows divided by the root of their mean square + epsilon, then scaled.',
  class: 'composite',
  family: 'row',
  operands: ['x', 'scale?'],
  attrs,
  canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, rank(x)) }),
  constraints: [dtypeIs('x', 'float'), axisInRange, fits('scale')],
  infer: ({ x }) => [x],
  decompose: (b, { x, scale }, { axis, epsilon }) => [normalised(b, x, scale, undefined, axis, epsilon)],
  example: `graph example(%x: f32[2,3], %s: f32[3]) {
  %0 = rms-norm(%x, %s, axis=1) : f32[2,3]
  return y = %0
}`,
})
