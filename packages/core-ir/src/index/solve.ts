/** @file Finds the values of symbols from dims whose sizes are known. */
import { type Index, evaluateIndex, split, visitAtoms } from './index-expr.ts'

/**
 * Adds to `bound` every symbol that some dim tells: one that is the symbol, or a multiple of it plus what is known already.
 * Says nothing of dims that do not agree.
 */
export const solveDims = (
  pairs: readonly { readonly dim: Index; readonly size: number }[],
  bound: Map<string, number>,
): void => {
  for (let before = -1; before < bound.size;) {
    before = bound.size
    for (const { dim, size } of pairs) solve(dim, size, bound)
  }
}

export const isBound = (dim: Index, bound: ReadonlyMap<string, number>): boolean => {
  let all = true
  visitAtoms(dim, atom => {
    if (atom.kind === 'value' || (atom.kind === 'var' && !bound.has(atom.name))) all = false
  })
  return all
}

const solve = (dim: Index, size: number, bound: Map<string, number>): void => {
  const { offset, terms } = split(dim)
  let rest = size - offset
  let unknown: { readonly name: string; readonly coef: number } | undefined
  for (const { coef, factors } of terms) {
    const [only] = factors
    if (factors.every(f => isBound(f, bound))) rest -= factors.reduce((p, f) => p * evaluateIndex(f, bound), coef)
    else if (unknown !== undefined || factors.length !== 1 || only?.kind !== 'var') return
    else unknown = { name: only.name, coef }
  }
  if (unknown !== undefined && rest % unknown.coef === 0) bound.set(unknown.name, rest / unknown.coef)
}
