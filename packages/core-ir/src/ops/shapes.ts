/** @file Shape, axis and dtype questions that ops share, and the constraints that ask them. */
import { printTensorType } from '../graph/print-type.ts'
import { type Index, isConst } from '../index/index-expr.ts'
import { type Accepts, accepts } from '../scalar/scalar-ops.ts'
import type { TensorType } from '../graph/graph.ts'
import type { Constraint, InferContext } from './define-op.ts'

type Equality = Pick<InferContext, 'equal'>

export const rank = (t: TensorType): number => t.shape.length
export const dim = (t: TensorType, axis: number): Index => {
  const d = t.shape[axis]
  if (d === undefined) throw new RangeError(`axis ${axis} of ${printTensorType(t)}`)
  return d
}

export const equalShapes = (a: readonly Index[], b: readonly Index[], context: Equality): boolean =>
  a.length === b.length && a.every((d, i) => context.equal(d, b[i] ?? -1))
export const equalTypes = (a: TensorType, b: TensorType, context: Equality): boolean =>
  a.dtype === b.dtype && equalShapes(a.shape, b.shape, context)

/** A negative axis counts from the end; one that does not exist stays as it is, for a constraint to refuse. */
export const canonicalAxis = (axis: number, of: number): number => (axis < 0 && axis >= -of ? axis + of : axis)
export const axisIn = (axis: number, of: number): boolean => Number.isInteger(axis) && axis >= 0 && axis < of
/** Sorted, from the front. */
export const canonicalAxes = (axes: readonly number[], of: number): number[] =>
  axes.map(a => canonicalAxis(a, of)).sort((a, b) => a - b)
export const distinctAxes = (axes: readonly number[], of: number): boolean =>
  new Set(axes).size === axes.length && axes.every(a => axisIn(a, of))

/** The elements of `xs` with the one at `at` replaced by `by`. */
export const spliced = <T>(xs: readonly T[], at: number, by: readonly T[]): T[] => [
  ...xs.slice(0, at),
  ...by,
  ...xs.slice(at + 1),
]

export const acceptedWords = {
  any: 'any',
  number: 'a number',
  float: 'a float',
  integer: 'an integer',
  bool: 'bool',
  bits: 'an integer or bool',
} as const satisfies Record<Accepts, string>

type Types<K extends string> = { readonly [P in K]: TensorType }

export const dtypeIs = <const K extends string>(operand: K, kind: Accepts): Constraint<Types<K>, unknown> => ({
  id: `${operand}-is-${kind}`,
  says: `dtype(${operand}) is ${acceptedWords[kind]}`,
  holds: operands => accepts(kind, operands[operand].dtype),
  found: operands => `it is ${operands[operand].dtype}`,
})

export const sameDTypes = <const K extends string>(a: K, b: K): Constraint<Types<K>, unknown> => ({
  id: 'same-dtype',
  says: `dtype(${a}) = dtype(${b})`,
  holds: operands => operands[a].dtype === operands[b].dtype,
  found: operands => `the dtypes are ${operands[a].dtype} and ${operands[b].dtype}`,
})

export const sameShapes = <const K extends string>(a: K, b: K): Constraint<Types<K>, unknown> => ({
  id: 'same-shape',
  says: `shape(${a}) = shape(${b}) (broadcast explicitly)`,
  holds: (operands, _, context) => equalShapes(operands[a].shape, operands[b].shape, context),
  found: operands => `they are ${printTensorType(operands[a])} and ${printTensorType(operands[b])}`,
})

export const rankIs = <const K extends string>(operand: K, wanted: number): Constraint<Types<K>, unknown> => ({
  id: `${operand}-rank`,
  says: `rank(${operand}) = ${wanted}`,
  holds: operands => rank(operands[operand]) === wanted,
  found: operands => `it is ${rank(operands[operand])}`,
})

export const axisInRange: Constraint<Types<'x'>, { readonly axis: number }> = {
  id: 'axis-in-range',
  says: '-rank(x) ≤ axis < rank(x)',
  holds: ({ x }, { axis }) => axisIn(axis, rank(x)),
  found: ({ x }, { axis }) => `axis is ${axis} for ${printTensorType(x)}`,
}

export const axesInRange: Constraint<Types<'x'>, { readonly axes: readonly number[] }> = {
  id: 'axes-in-range',
  says: 'every axis distinct, with -rank(x) ≤ axis < rank(x)',
  holds: ({ x }, { axes }) => distinctAxes(axes, rank(x)),
  found: ({ x }, { axes }) => `axes is [${axes.join(', ')}] for ${printTensorType(x)}`,
}

/** Whether a dim is certainly one. */
export const isOne = (d: Index): boolean => isConst(d, 1)
