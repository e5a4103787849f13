/** @file Position of the largest or smallest element along an axis. */
import { defineOp } from './define-op.ts'
import { argmaxOf, argminOf } from './reducers.ts'
import { reducedShape, unreduced } from './reductions.ts'
import { axisInRange, canonicalAxis, dim, dtypeIs } from './shapes.ts'

const argReduction = (name: 'argmax' | 'argmin', what: string, reducer: typeof argmaxOf) =>
  defineOp({
    name,
    doc: `Position of the ${what} element along an axis. The first wins; the first NaN wins over numbers. Not differentiable: the result is a position.`,
    class: 'reduction',
    operands: ['x'],
    attrs: {
      axis: { kind: 'int', default: -1, doc: 'The axis searched.' },
      keepDims: { kind: 'bool', default: false, doc: 'The axis stays with extent 1.' },
      dtype: { kind: 'dtype', default: 'i32', oneOf: ['i32', 'i64'], doc: 'Of the position.' },
    },
    canonical: ({ x }, a) => ({ ...a, axis: canonicalAxis(a.axis, x.shape.length) }),
    constraints: [dtypeIs('x', 'number'), axisInRange],
    infer: ({ x }, a) => [{ dtype: a.dtype, shape: reducedShape(x, [a.axis], a.keepDims) }],
    compute: (out, { x }, a) =>
      reducer(
        [dim(x.type, a.axis)],
        ([k]) => x.at(...unreduced(out, [k], [a.axis], x.type.shape.length, a.keepDims)),
        a.dtype,
      ),
    gradient: 'none',
    example: `graph example(%x: f32[2,3]) {
  %0 = ${name}(%x, axis=1) : i32[2]
  return y = %0
}`,
  })

export const argmax = argReduction('argmax', 'largest', argmaxOf)
export const argmin = argReduction('argmin', 'smallest', argminOf)
