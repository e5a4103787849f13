/** @file Walks over scalars, those inside index expressions included. */
import { type Index, visitAtoms } from '../index/index-expr.ts'
import { type Scalar, childrenOf } from './scalar.ts'

/** Calls `visit` on every scalar, outer before inner, entering index expressions. */
export const visitScalars = (x: Scalar, visit: (x: Scalar) => void): void => {
  visit(x)
  childrenOf(x).forEach(c => visitScalars(c, visit))
  if (x.kind === 'load') x.indices.forEach(i => visitIndexScalars(i, visit))
  if (x.kind === 'index') visitIndexScalars(x.index, visit)
}

/** Calls `visit` on the scalars of `value` atoms, and on those inside them. */
export const visitIndexScalars = (x: Index, visit: (x: Scalar) => void): void =>
  visitAtoms(x, atom => {
    if (atom.kind === 'value') visitScalars(atom.scalar, visit)
  })

/** Calls `visit` on every load, as often as it stands there. */
export const visitLoads = (x: Scalar, visit: (load: Extract<Scalar, { kind: 'load' }>) => void): void =>
  visitScalars(x, s => {
    if (s.kind === 'load') visit(s)
  })
