/** @file Whether an expression has the same value in every invocation: no thread or parallel axis, no lane, no loaded data. */
import type { Index } from '../index/index-expr.ts'
import { visitAtoms } from '../index/index-expr.ts'
import { type Scalar, childrenOf } from '../scalar/scalar.ts'

/** `differs` tells of a name (an axis, a symbol, a `let`) whether invocations may differ in it. */
export const isUniformIndex = (x: Index, differs: (name: string) => boolean): boolean => {
  let uniform = true
  visitAtoms(x, atom => {
    if (atom.kind === 'var' && differs(atom.name)) uniform = false
    if (atom.kind === 'value' && !isUniformScalar(atom.scalar, differs)) uniform = false
  })
  return uniform
}

export const isUniformScalar = (x: Scalar, differs: (name: string) => boolean): boolean => {
  if (x.kind === 'load') return false
  if (x.kind === 'index' && !isUniformIndex(x.index, differs)) return false
  if (x.kind === 'ref' && differs(x.name)) return false
  return childrenOf(x).every(child => isUniformScalar(child, differs))
}
