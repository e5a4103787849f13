/** @file The same elements in a shape that an integer tensor holds. */
import { printShape, printTensorType } from '../graph/print-type.ts'
import { type Index, add, fromScalar, floorDiv, isConst, mul, product } from '../index/index-expr.ts'
import { type Scalar, binary, indexScalar, literal, select } from '../scalar/scalar.ts'
import { reshapeTo as reshaped } from './calculus.ts'
import { type InferContext, defineOp } from './define-op.ts'
import { reshapeIndices } from './reshape-indices.ts'
import { dtypeIs, rankIs } from './shapes.ts'
import { narrowed } from './subscript.ts'

/** The extents, with a lone −1 as what the others leave. */
const extentsOf = (from: readonly Index[], context: InferContext): readonly Index[] | undefined => {
  const given = context.elements('shape')
  if (given === undefined) return undefined
  const rest = given.filter(d => !isConst(d, -1))
  return given.map(d => (isConst(d, -1) ? floorDiv(product(from), product(rest)) : d))
}

export const reshapeTo = defineOp({
  name: 'reshape-to',
  doc: 'The same elements, in row-major order, in the shape that a tensor holds; one −1 in it stands for what the others leave. The shape must be shape arithmetic, and becomes an attribute at build.',
  class: 'injective',
  operands: ['x', 'shape'],
  known: ['shape'],
  attrs: {},
  constraints: [
    rankIs('shape', 1),
    dtypeIs('shape', 'integer'),
    {
      id: 'shape-is-known',
      says: 'every element of shape to be a number or an expression over dims, not data',
      holds: (_, __, context) => context.elements('shape') !== undefined,
    },
    {
      id: 'same-count',
      says: 'product(shape(x)) = product(shape)',
      holds: ({ x }, _, context) => context.equal(product(x.shape), product(extentsOf(x.shape, context) ?? [])),
      found: ({ x }) => `${printTensorType(x)} has ${printShape([product(x.shape)])} elements`,
    },
  ],
  infer: ({ x }, _, context) => [{ dtype: x.dtype, shape: extentsOf(x.shape, context) ?? [] }],
  compute: (out, { x, shape }) => {
    const total = product(x.type.shape)
    const sizes = out.map((_, i) => narrowed(shape.at(i)))
    const times = (list: readonly Scalar[]): Scalar => list.reduce((p, s) => binary('mul', p, s), literal(1, 'i32'))
    // With −1 among them, the product of all is that of the others, negated.
    const left = binary('div', indexScalar(total), binary('sub', literal(0, 'i32'), times(sizes)))
    const extents = sizes.map(s => select(binary('eq', s, literal(-1, 'i32')), left, s))
    const flat = add(...out.map((o, i) => mul(o, fromScalar(times(extents.slice(i + 1))))))
    return x.at(...reshapeIndices([flat], [total], x.type.shape))
  },
  gradient: ([g], { builder, operands: { x } }) => (g === undefined ? {} : { x: reshaped(builder, g, x.type.shape) }),
  example: `graph example<n: 1..>(%x: f32[n,6]) {
  %0 = dim-value(value=2*n, dtype=i64) : i64[]
  %1 = reshape(%0, shape=[1]) : i64[1]
  %2 = constant(data=[-1], dtype=i64, shape=[1]) : i64[1]
  %3 = concat(%1, %2) : i64[2]
  %4 = reshape-to(%x, %3) : f32[2*n,3]
  return y = %4
}`,
})
