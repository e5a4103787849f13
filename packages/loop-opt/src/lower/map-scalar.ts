/** @file Rebuilds scalar expressions: every child, and the scalars inside index expressions, through one function. */
import { type Index, type Scalar, ix, mapParts } from '@quern/core-ir'

/** Rebuilds `x` top-down: `replace` returns the new expression of a node, or undefined to go into its children. */
export const mapScalar = (
  x: Scalar,
  replace: (x: Scalar) => Scalar | undefined,
  mapIndex: (i: Index) => Index = i => mapValues(i, s => mapScalar(s, replace)),
): Scalar => {
  const replaced = replace(x)
  if (replaced !== undefined) return replaced
  return mapParts(x, y => mapScalar(y, replace, mapIndex), mapIndex)
}

/** Replaces the scalars of `value` atoms. */
export const mapValues = (i: Index, f: (s: Scalar) => Scalar): Index =>
  ix.mapAtoms(i, atom => (atom.kind === 'value' ? ix.fromScalar(f(atom.scalar)) : undefined))
