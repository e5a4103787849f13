/** @file Transposed convolution: the adjoint of a convolution with respect to its input. */
import { add, constant, floorDiv, mod, mul } from '../index/index-expr.ts'
import { binary, literal } from '../scalar/scalar.ts'
import { weightGradient } from './conv-gradients.ts'
import { defineOp } from './define-op.ts'
import { sum } from './reducers.ts'
import { dim, dtypeIs, rank, sameDTypes } from './shapes.ts'
import {
  canonicalWindow,
  groupsDivideOut,
  spatialOf,
  whereAll,
  windowAt,
  windowAttrs,
  windowFits,
  windowsAlong,
} from './windows.ts'

export const convTranspose = defineOp({
  name: 'conv-transpose',
  doc: 'The adjoint of conv in its input: x [batch, out, ...] × weight [out, channels / groups, ...kernel] → [batch, channels, ...extents].',
  class: 'contraction',
  operands: ['x', 'weight'],
  attrs: {
    ...windowAttrs,
    groups: { kind: 'int', default: 1, doc: 'How many groups channels fall into.' },
    extents: { kind: 'dims', doc: 'Spatial extents of the result; a convolution of it has those of x.' },
  },
  canonical: ({ x }, a) => canonicalWindow(a, rank(x) - 2),
  constraints: [
    {
      id: 'ranks-agree',
      says: 'rank(x) = rank(weight) = 2 + count(extents) ≥ 3',
      holds: ({ x, weight }, { extents }) => rank(x) === rank(weight) && rank(x) === extents.length + 2 && rank(x) >= 3,
      found: ({ x, weight }, { extents }) =>
        `the ranks are ${rank(x)} and ${rank(weight)}, with ${extents.length} extents`,
    },
    sameDTypes('x', 'weight'),
    dtypeIs('x', 'number'),
    windowFits,
    groupsDivideOut,
    {
      id: 'channels-agree',
      says: 'dim(x, 1) = dim(weight, 0)',
      holds: ({ x, weight }, _, context) => context.equal(dim(x, 1), dim(weight, 0)),
      found: ({ x, weight }) => `${dim(x, 1).key} is not ${dim(weight, 0).key}`,
    },
    {
      id: 'extents-agree',
      says: 'a convolution over extents has the spatial dims of x',
      holds: ({ x, weight }, a, context) =>
        a.extents.every((d, i) => context.equal(windowsAlong(d, dim(weight, i + 2), a, i, context), dim(x, i + 2))),
      found: ({ x }, { extents }) =>
        `extents are [${extents.map(d => d.key).join(', ')}] for [${spatialOf(x.shape)
          .map(d => d.key)
          .join(', ')}]`,
    },
  ],
  infer: ({ x, weight }, { groups, extents }) => [
    { dtype: x.dtype, shape: [dim(x, 0), mul(groups, dim(weight, 1)), ...extents] },
  ],
  compute: ([n, channel, ...at], { x, weight }, a) => {
    const [out, perGroup, ...kernel] = weight.type.shape
    if (n === undefined || channel === undefined || out === undefined || perGroup === undefined)
      throw new RangeError('conv-transpose of rank < 3')
    const outs = a.groups === 1 ? out : floorDiv(out, a.groups)
    const [group, c] = a.groups === 1 ? [constant(0), channel] : [floorDiv(channel, perGroup), mod(channel, perGroup)]
    return sum([outs, ...kernel], ([k, ...ks]) => {
      const o = add(mul(group, outs), k ?? 0)
      const places = at.map((p, i) => windowAt(p, ks[i] ?? constant(0), a, i))
      const element = x.atOr([n, o, ...places.map(p => p.window)], literal(0, x.type.dtype))
      return binary(
        'mul',
        whereAll(
          places.map(p => p.exact),
          element,
        ),
        weight.at(o, c, ...ks),
      )
    })
  },
  gradient: ([g], { builder: b, operands: { x, weight } }, a) => {
    if (g === undefined) return {}
    const { strides, pads, dilations, groups } = a
    return {
      x: b.one('conv', [g, weight], { strides, pads, dilations, groups }),
      weight: weightGradient(b, g, x, weight.type.shape, a),
    }
  },
  example: `graph example(%x: f32[1,4,3,3], %w: f32[4,1,3,3]) {
  %0 = conv-transpose(%x, %w, strides=[2,2], pads=[1,1,1,1], dilations=[1,1], groups=2, extents=[5,5]) : f32[1,2,5,5]
  return y = %0
}`,
})
