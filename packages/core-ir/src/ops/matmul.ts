/** @file Matrix product of two (batched) matrices. */
import { type Index, sameIndex } from '../index/index-expr.ts'
import { binary } from '../scalar/scalar.ts'
import { broadcastShapes, broadcastIndices, lastDims } from './broadcasting.ts'
import { defineOp } from './define-op.ts'
import { sum } from './reducers.ts'

export const matmul = defineOp({
  name: 'matmul',
  doc: 'Matrix product over the last two dims: [..., m, k] × [..., k, n] → [..., m, n]. Leading dims broadcast. Integers wrap.',
  class: 'contraction',
  operands: ['lhs', 'rhs'],
  attrs: {
    transposeLhs: { kind: 'bool', default: false, doc: 'lhs is [..., k, m].' },
    transposeRhs: { kind: 'bool', default: false, doc: 'rhs is [..., n, k].' },
  },
  constraints: [
    {
      id: 'rank-at-least-2',
      says: 'rank(lhs) ≥ 2 and rank(rhs) ≥ 2',
      holds: ({ lhs, rhs }) => lhs.shape.length >= 2 && rhs.shape.length >= 2,
      found: ({ lhs, rhs }) => `the ranks are ${lhs.shape.length} and ${rhs.shape.length}`,
    },
    {
      id: 'same-dtype',
      says: 'dtype(lhs) = dtype(rhs), a number',
      holds: ({ lhs, rhs }) => lhs.dtype === rhs.dtype && lhs.dtype !== 'bool',
      found: ({ lhs, rhs }) => `the dtypes are ${lhs.dtype} and ${rhs.dtype}`,
    },
    {
      id: 'inner-dims-agree',
      says: 'dim(lhs, transposeLhs ? -2 : -1) = dim(rhs, transposeRhs ? -1 : -2)',
      holds: ({ lhs, rhs }, a, context) =>
        context.equal(lastDims(lhs, a.transposeLhs)[1], lastDims(rhs, a.transposeRhs)[0]),
      found: ({ lhs, rhs }, a) =>
        `${lastDims(lhs, a.transposeLhs)[1].key} is not ${lastDims(rhs, a.transposeRhs)[0].key}`,
    },
    {
      id: 'batch-dims-broadcast',
      says: 'the leading dims to broadcast',
      holds: ({ lhs, rhs }, _, context) =>
        broadcastShapes(lhs.shape.slice(0, -2), rhs.shape.slice(0, -2), context) !== undefined,
    },
  ],
  infer: ({ lhs, rhs }, a, context) => {
    const batch = broadcastShapes(lhs.shape.slice(0, -2), rhs.shape.slice(0, -2), context) ?? []
    return [{ dtype: lhs.dtype, shape: [...batch, lastDims(lhs, a.transposeLhs)[0], lastDims(rhs, a.transposeRhs)[1]] }]
  },
  compute: (out, { lhs, rhs }, a) => {
    const batch = out.slice(0, -2)
    const [m, n] = out.slice(-2) as [Index, Index]
    const [, extent] = lastDims(lhs.type, a.transposeLhs)
    return sum([extent], ([k]) =>
      binary(
        'mul',
        lhs.at(...broadcastIndices(batch, lhs.type.shape.slice(0, -2)), ...(a.transposeLhs ? [k, m] : [m, k])),
        rhs.at(...broadcastIndices(batch, rhs.type.shape.slice(0, -2)), ...(a.transposeRhs ? [n, k] : [k, n])),
      ),
    )
  },
  gradient: ([g], { builder: b, operands: { lhs, rhs } }, a) => {
    if (g === undefined) return {}
    const dLhs = a.transposeLhs
      ? b.one('matmul', [rhs, g], { transposeLhs: a.transposeRhs, transposeRhs: true })
      : b.one('matmul', [g, rhs], { transposeRhs: !a.transposeRhs })
    const dRhs = a.transposeRhs
      ? b.one('matmul', [g, lhs], { transposeLhs: true, transposeRhs: a.transposeLhs })
      : b.one('matmul', [lhs, g], { transposeLhs: !a.transposeLhs })
    return { lhs: unbroadcast(dLhs, lhs), rhs: unbroadcast(dRhs, rhs) }
    function unbroadcast(grad: typeof g & {}, like: typeof lhs) {
      return grad.type.shape.length === like.type.shape.length &&
        grad.type.shape.every((d, i) => sameIndex(d, like.type.shape[i] ?? -1))
        ? grad
        : b.one('sum-to', [grad], { shape: like.type.shape })
    }
  },
  example: `graph example(%a: f32[2,3], %b: f32[3,4]) {
  %0 = matmul(%a, %b) : f32[2,4]
  return y = %0
}`,
})
