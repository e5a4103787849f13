/**
 * @file Contraction: products that are added at once become multiply-adds, where the target has the instruction. Runs on
 * expanded kernels, so that the polynomials of transcendental functions gain most.
 */
import { type Kernel, type Scalar, type Stmt, scalar as sc } from '@quern/core-ir'
import { type Rewriter, rewriteStmts, variablesOf } from '../schedule/tree.ts'

/**
 *     a * b + c   →   madd!(a, b, c)           c - a * b   →   nmadd!(a, b, c)
 *     acc[i] sum= a * b   →   acc[i] = madd!(a, b, acc[i])
 *
 * in f32, vector or not. It rounds once where the source rounded twice, so `exact` numerics forbid it.
 */
export const contractProducts = (kernel: Kernel): Kernel => ({
  ...kernel,
  body: rewriteStmts(kernel.body, rewriter).map(s => storeSums(s, undefined)),
})

const rewriter: Rewriter = {
  scalar: x => {
    if (x.kind !== 'binary' || x.dtype !== 'f32') return undefined
    const { lhs, rhs } = x
    if (x.op === 'add') {
      if (isProduct(lhs)) return multiplyAdd('madd', lhs, rhs)
      return isProduct(rhs) ? multiplyAdd('madd', rhs, lhs) : undefined
    }
    return x.op === 'sub' && isProduct(rhs) ? multiplyAdd('nmadd', rhs, lhs) : undefined
  },
}

type Product = Extract<Scalar, { kind: 'binary' }>
const isProduct = (x: Scalar): x is Product => x.kind === 'binary' && x.op === 'mul' && x.dtype === 'f32'
const multiplyAdd = (name: 'madd' | 'nmadd', { lhs, rhs }: Product, addend: Scalar): Scalar =>
  sc.intrinsic(name, 'f32', [lhs, rhs, addend])

/** @param vector the vector axis around: lanes that meet in one element still have to be added up there */
const storeSums = (s: Stmt, vector: string | undefined): Stmt => {
  switch (s.kind) {
    case 'for': {
      const inside = s.tag === 'vector' ? s.axis : vector
      return { ...s, body: s.body.map(b => storeSums(b, inside)) }
    }
    case 'if':
      return { ...s, then: s.then.map(b => storeSums(b, vector)), else: s.else.map(b => storeSums(b, vector)) }
    case 'accumulate': {
      const { buffer, indices, value } = s
      const meet = vector !== undefined && !indices.some(i => variablesOf(i).has(vector))
      if (s.reducer !== 'sum' || !isProduct(value) || meet) return s
      return { kind: 'store', buffer, indices, value: multiplyAdd('madd', value, sc.load(buffer, 'f32', indices)) }
    }
    default:
      return s
  }
}
