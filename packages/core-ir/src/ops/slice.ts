/** @file A part of a tensor, at regular steps. */
import { printTensorType } from '../graph/print-type.ts'
import { type Index, add, constant, isConst, max, min, mul, sub } from '../index/index-expr.ts'
import { defineOp } from './define-op.ts'
import { dim, rank } from './shapes.ts'

export const slice = defineOp({
  name: 'slice',
  doc: 'Element i of the result is element starts + i · steps of x, in every dim. A symbolic start that turns out to be outside is moved to the nearest place inside.',
  class: 'injective',
  operands: ['x'],
  attrs: {
    starts: { kind: 'dims', doc: 'The first element in each dim.' },
    sizes: { kind: 'dims', doc: 'How many elements in each dim: the shape of the result.' },
    steps: { kind: 'ints', default: [], doc: 'The step in each dim, which may be negative; none given means 1.' },
  },
  canonical: ({ x }, a) => ({ ...a, steps: a.steps.length === 0 ? x.shape.map(() => 1) : a.steps }),
  constraints: [
    {
      id: 'one-for-each-dim',
      says: 'starts, sizes and steps have one entry for each dim, steps are integers and not 0',
      holds: ({ x }, { starts, sizes, steps }) =>
        starts.length === rank(x) &&
        sizes.length === rank(x) &&
        steps.length === rank(x) &&
        steps.every(s => Number.isInteger(s) && s !== 0),
      found: ({ x }, { starts, sizes, steps }) =>
        `there are ${starts.length}, ${sizes.length} and ${steps.length} for ${printTensorType(x)}`,
    },
    {
      id: 'in-bounds',
      says: 'the first and the last element lie inside x in every dim, where there are any',
      holds: () => true,
      requires: ({ x }, { starts, sizes, steps }) =>
        x.shape.flatMap((d, i) => notNegative(d, starts[i] ?? constant(0), sizes[i] ?? constant(0), steps[i] ?? 1)),
      found: ({ x }, { starts, sizes, steps }) =>
        `${printTensorType(x)} has not starts [${starts.map(s => s.key).join(', ')}], sizes [${sizes.map(s => s.key).join(', ')}], steps [${steps.join(', ')}]`,
    },
  ],
  infer: ({ x }, { sizes }) => [{ dtype: x.dtype, shape: sizes }],
  compute: (out, { x }, { starts, sizes, steps }) =>
    x.at(
      ...out.map((o, i) =>
        sliceIndex(o, dim(x.type, i), starts[i] ?? constant(0), sizes[i] ?? constant(0), steps[i] ?? 1),
      ),
    ),
  gradient: ([g], { builder: b, operands: { x } }, { starts, steps }) =>
    g === undefined ? {} : { x: b.one('unslice', [g], { starts, steps, shape: x.type.shape }) },
  example: `graph example(%x: f32[4,6]) {
  %0 = slice(%x, starts=[1,5], sizes=[2,3], steps=[1,-2]) : f32[2,3]
  return y = %0
}`,
})

/** The size, and how far the first and the last element are from the ends. A size max(0, n) says that there may be none. */
const notNegative = (extent: Index, start: Index, size: Index, step: number): readonly Index[] => {
  if (isConst(size, 0)) return []
  const count = size.kind !== 'max' ? size : isConst(size.lhs, 0) ? size.rhs : isConst(size.rhs, 0) ? size.lhs : size
  const last = add(start, mul(sub(count, 1), step))
  const [low, high] = step > 0 ? [start, last] : [last, start]
  return [size, low, sub(sub(extent, 1), high)]
}

/** Clamped only where it is not plain that the element is inside. */
const sliceIndex = (o: Index, extent: Index, start: Index, size: Index, step: number): Index => {
  const at = add(start, mul(o, step))
  if (isConst(start) && isConst(size) && isConst(extent)) return at
  if (isConst(start, 0) && step === 1 && (extent.key === size.key || isConst(sub(extent, size)))) return at
  return max(0, min(at, sub(extent, 1)))
}
