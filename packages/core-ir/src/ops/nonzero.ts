/** @file Where a tensor is not zero. */
import { constant, fromScalar, product } from '../index/index-expr.ts'
import { binary, indexScalar, literal } from '../scalar/scalar.ts'
import { defineOp } from './define-op.ts'

export const nonzero = defineOp({
  name: 'nonzero',
  doc: 'The subscripts of the elements that are not zero (NaN is not), one row each, in row-major order: defines a symbol, their number, which is the second result. Not differentiable: the results are positions.',
  class: 'loops',
  operands: ['x'],
  attrs: { dtype: { kind: 'dtype', default: 'i64', oneOf: ['i32', 'i64'], doc: 'Of the subscripts.' } },
  constraints: [],
  infer: ({ x }, { dtype }, context) => {
    const count = context.define('k', product(x.shape))
    return [
      { dtype, shape: [{ kind: 'var', name: count.name, key: count.name }, constant(x.shape.length)] },
      { dtype: 'i32', shape: [] },
    ]
  },
  defines: ([rows]) => {
    const [count] = rows?.shape ?? []
    if (count?.kind !== 'var') throw new TypeError('the rows of nonzero are counted by a symbol')
    return [{ symbol: count.name, from: 1 }]
  },
  loops: (b, { x }, [rows, count]) => {
    if (rows === undefined || count === undefined) return
    const { dtype, shape } = x.type
    const found = b.alloc('found', 'i32', [])
    b.store(found, [], literal(0, 'i32'))
    b.forAll(shape, at => {
      const element = x.at(...at)
      b.if(dtype === 'bool' ? element : binary('ne', element, literal(0, dtype)), () => {
        const row = b.let('row', found.at())
        at.forEach((i, d) =>
          b.store(rows, [fromScalar(row), d], indexScalar(i, rows.type.dtype === 'i64' ? 'i64' : 'i32')),
        )
        b.accumulate(found, [], 'sum', literal(1, 'i32'))
      })
    })
    b.store(count, [], found.at())
  },
  gradient: 'none',
  example: `graph example<k: 0..6 upto 6>(%x: f32[2,3]) {
  %0, %1 = nonzero(%x) : i64[k,2], i32[]
  return y = %0, count = %1
}`,
})
