/** @file Convolution over any number of spatial dims. */
import { type Index, add, constant, floorDiv, mul } from '../index/index-expr.ts'
import { binary, literal } from '../scalar/scalar.ts'
import { weightGradient } from './conv-gradients.ts'
import { defineOp } from './define-op.ts'
import { sum } from './reducers.ts'
import { dim, dtypeIs, rank, sameDTypes } from './shapes.ts'
import {
  canonicalWindow,
  groupsDivideOut,
  isPadded,
  positionIn,
  spatialOf,
  windowAttrs,
  windowFits,
  windowsAlong,
} from './windows.ts'

export const conv = defineOp({
  name: 'conv',
  doc: 'Convolution (cross-correlation): x [batch, channels, ...spatial] × weight [out, channels / groups, ...kernel] → [batch, out, ...]. groups = channels is depthwise.',
  class: 'contraction',
  family: 'convolution',
  operands: ['x', 'weight'],
  attrs: { ...windowAttrs, groups: { kind: 'int', default: 1, doc: 'How many groups channels fall into.' } },
  canonical: ({ x }, a) => canonicalWindow(a, rank(x) - 2),
  constraints: [
    {
      id: 'ranks-agree',
      says: 'rank(x) = rank(weight) ≥ 3',
      holds: ({ x, weight }) => rank(x) === rank(weight) && rank(x) >= 3,
      found: ({ x, weight }) => `the ranks are ${rank(x)} and ${rank(weight)}`,
    },
    sameDTypes('x', 'weight'),
    dtypeIs('x', 'number'),
    windowFits,
    groupsDivideOut,
    {
      id: 'channels-agree',
      says: 'dim(x, 1) = groups · dim(weight, 1)',
      holds: ({ x, weight }, { groups }, context) => context.equal(dim(x, 1), mul(groups, dim(weight, 1))),
      found: ({ x, weight }, { groups }) => `${dim(x, 1).key} is not ${groups} · ${dim(weight, 1).key}`,
    },
  ],
  infer: ({ x, weight }, a, context) => [
    {
      dtype: x.dtype,
      shape: [
        dim(x, 0),
        dim(weight, 0),
        ...spatialOf(x.shape).map((d, i) => windowsAlong(d, dim(weight, i + 2), a, i, context)),
      ],
    },
  ],
  compute: ([n, o, ...at], { x, weight }, a) => {
    const [out, perGroup, ...kernel] = weight.type.shape
    if (n === undefined || o === undefined || out === undefined || perGroup === undefined)
      throw new RangeError('conv of rank < 3')
    const group = groupOf(o, out, a.groups)
    return sum([perGroup, ...kernel], ([c, ...ks]) => {
      const channel = add(mul(group, perGroup), c ?? 0)
      const indices = [n, channel, ...at.map((p, i) => positionIn(p, ks[i] ?? constant(0), a, i))]
      const element = isPadded(a) ? x.atOr(indices, literal(0, x.type.dtype)) : x.at(...indices)
      return binary('mul', element, weight.at(o, c ?? 0, ...ks))
    })
  },
  gradient: ([g], { builder: b, operands: { x, weight } }, a) => {
    if (g === undefined) return {}
    return {
      x: b.one('conv-transpose', [g, weight], { ...a, extents: spatialOf(x.type.shape) }),
      weight: weightGradient(b, x, g, weight.type.shape, a),
    }
  },
  example: `graph example(%x: f32[1,2,5,5], %w: f32[4,1,3,3]) {
  %0 = conv(%x, %w, strides=[2,2], pads=[1,1,1,1], dilations=[1,1], groups=2) : f32[1,4,3,3]
  return y = %0
}`,
})

/** The group of an output channel. */
export const groupOf = (o: Index, out: Index, groups: number): Index =>
  groups === 1 ? constant(0) : floorDiv(o, floorDiv(out, groups))
