/** @file The adjoint of slice. */
import { printShape } from '../graph/print-type.ts'
import { constant, floorDiv, isConst, mod, mul, sub } from '../index/index-expr.ts'
import { binary, indexScalar, literal } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'
import { dtypeIs, rank } from './shapes.ts'
import { whereAll } from './windows.ts'

export const unslice = defineOp({
  name: 'unslice',
  doc: 'Puts element i of x at starts + i · steps of zeros: the adjoint of slice.',
  class: 'injective',
  operands: ['x'],
  attrs: {
    starts: { kind: 'dims', doc: 'Where the first element goes in each dim.' },
    steps: { kind: 'ints', default: [], doc: 'The step in each dim, which may be negative; none given means 1.' },
    shape: { kind: 'dims', doc: 'The shape of the result.' },
  },
  canonical: ({ x }, a) => ({ ...a, steps: a.steps.length === 0 ? x.shape.map(() => 1) : a.steps }),
  constraints: [
    dtypeIs('x', 'number'),
    {
      id: 'one-for-each-dim',
      says: 'starts, steps and shape have one entry for each dim, steps are integers and not 0',
      holds: ({ x }, { starts, shape, steps }) =>
        starts.length === rank(x) &&
        shape.length === rank(x) &&
        steps.length === rank(x) &&
        steps.every(s => Number.isInteger(s) && s !== 0),
      found: ({ x }, { starts, shape, steps }) =>
        `there are ${starts.length} and ${steps.length} for ${printShape(shape)}, and rank(x) is ${rank(x)}`,
    },
  ],
  infer: ({ x }, { shape }) => [{ dtype: x.dtype, shape }],
  compute: (out, { x }, { starts, steps }) => {
    const places = out.map((o, i) => {
      const step = steps[i] ?? 1
      const distance = mul(sub(o, starts[i] ?? constant(0)), Math.sign(step))
      return { distance, stride: Math.abs(step) }
    })
    const exact = places.map(p => {
      const left = mod(p.distance, p.stride)
      return isConst(left, 0) ? undefined : binary('eq', indexScalar(left), literal(0, 'i32'))
    })
    return whereAll(
      exact,
      x.atOr(
        places.map(p => floorDiv(p.distance, p.stride)),
        literal(0, x.type.dtype),
      ),
    )
  },
  gradient: ([g], { builder: b, operands: { x } }, { starts, steps }) =>
    g === undefined ? {} : { x: b.one('slice', [g], { starts, steps, sizes: x.type.shape }) },
  example: `graph example(%x: f32[2,3]) {
  %0 = unslice(%x, starts=[1,5], steps=[1,-2], shape=[4,6]) : f32[4,6]
  return y = %0
}`,
})
