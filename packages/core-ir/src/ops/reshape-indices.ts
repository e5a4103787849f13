/** @file Subscripts into one shape from those into another with as many elements. */
import {
  type Index,
  add,
  constant,
  floorDiv,
  isConst,
  mod,
  mul,
  product,
  rowMajorStrides,
  sameIndex,
} from '../index/index-expr.ts'

/**
 * Dims are matched in groups of equal products, so that only the dims that really merge or split divide:
 * `[n,28,28] → [n,784]` leaves the first subscript alone.
 */
export const reshapeIndices = (out: readonly Index[], outShape: readonly Index[], shape: readonly Index[]): Index[] =>
  groups(outShape, shape).flatMap(([outFrom, outTo, from, to]) =>
    unflatten(flatten(out.slice(outFrom, outTo), outShape.slice(outFrom, outTo)), shape.slice(from, to)),
  )

type Group = readonly [outFrom: number, outTo: number, from: number, to: number]

const groups = (a: readonly Index[], b: readonly Index[]): Group[] => {
  const result: Group[] = []
  let i = 0,
    j = 0
  while (i < a.length || j < b.length) {
    const [p, q] = nextGroup(a.slice(i), b.slice(j))
    result.push([i, i + p, j, j + q])
    i += p
    j += q
  }
  return result
}

/** The shortest prefixes with equal products; everything that is left where there are none. */
const nextGroup = (a: readonly Index[], b: readonly Index[]): readonly [number, number] => {
  // A leading 1 against anything but a 1 stands alone.
  if (a[0] !== undefined && isConst(a[0], 1) && !(b[0] !== undefined && isConst(b[0], 1))) return [1, 0]
  if (b[0] !== undefined && isConst(b[0], 1) && !(a[0] !== undefined && isConst(a[0], 1))) return [0, 1]
  for (let total = 2; total <= a.length + b.length; total++)
    for (let p = Math.max(1, total - b.length); p <= Math.min(a.length, total - 1); p++)
      if (sameIndex(product(a.slice(0, p)), product(b.slice(0, total - p)))) return [p, total - p]
  return [a.length, b.length]
}

export const flatten = (indices: readonly Index[], shape: readonly Index[]): Index =>
  add(0, ...rowMajorStrides(shape).map((s, i) => mul(s, indices[i] ?? 0)))

export const unflatten = (flat: Index, shape: readonly Index[]): Index[] => {
  const strides = rowMajorStrides(shape)
  return shape.map((d, i) => {
    if (isConst(d, 1)) return constant(0)
    const stride = strides[i] ?? constant(1)
    // Without elements nothing is ever read, but the divisor must be one.
    const quotient = isConst(stride, 0) ? flat : floorDiv(flat, stride)
    const first = shape.slice(0, i).every(e => isConst(e, 1))
    return first || isConst(d, 0) ? quotient : mod(quotient, d)
  })
}
