/** @file Sliding windows over spatial dims: what convolutions and pools share. Layout is [batch, channels, ...spatial]. */
import { type Index, type IndexLike, add, constant, floorDiv, max, mod, mul, sub } from '../index/index-expr.ts'
import { type Scalar, binary, indexScalar, literal, select } from '../scalar/scalar.ts'
import type { TensorType } from '../graph/graph.ts'
import type { AttrSpec, Constraint, InferContext } from './define-op.ts'
import { dim } from './shapes.ts'
import { symbolRanges } from '../graph/symbol-ranges.ts'
import { simplify } from '../index/range.ts'

export const windowAttrs = {
  strides: { kind: 'ints', default: [], doc: 'Step of the window along each spatial dim; none given means 1.' },
  pads: { kind: 'ints', default: [], doc: 'Padding before each spatial dim, then after each; none given means 0.' },
  dilations: { kind: 'ints', default: [], doc: 'Distance of the elements of the window; none given means 1.' },
} as const satisfies Record<string, AttrSpec>

export interface Window {
  readonly strides: readonly number[]
  readonly pads: readonly number[]
  readonly dilations: readonly number[]
}

const repeat = (n: number, value: number): number[] => Array.from({ length: Math.max(0, n) }, () => value)

/** Empty lists filled in for `spatial` dims. */
export const canonicalWindow = <A extends Window>(a: A, spatial: number): A => ({
  ...a,
  strides: a.strides.length === 0 ? repeat(spatial, 1) : a.strides,
  pads: a.pads.length === 0 ? repeat(2 * spatial, 0) : a.pads,
  dilations: a.dilations.length === 0 ? repeat(spatial, 1) : a.dilations,
})

const wholeFrom =
  (least: number) =>
  (n: number): boolean =>
    Number.isInteger(n) && n >= least

export const windowFits: Constraint<{ readonly x: TensorType }, Window> = {
  id: 'window-fits',
  says: 'strides and dilations have one positive integer for each spatial dim, pads two non-negative ones',
  holds: ({ x }, { strides, pads, dilations }) => {
    const n = x.shape.length - 2
    return (
      strides.length === n &&
      dilations.length === n &&
      pads.length === 2 * n &&
      strides.every(wholeFrom(1)) &&
      dilations.every(wholeFrom(1)) &&
      pads.every(wholeFrom(0))
    )
  },
  found: ({ x }, { strides, pads, dilations }) =>
    `rank(x) is ${x.shape.length}, strides [${strides.join(', ')}], pads [${pads.join(', ')}], dilations [${dilations.join(', ')}]`,
}

export const groupsDivideOut: Constraint<{ readonly weight: TensorType }, { readonly groups: number }> = {
  id: 'groups-divide-out',
  says: 'groups ≥ 1 divides dim(weight, 0)',
  holds: ({ weight }, { groups }, context) =>
    Number.isInteger(groups) && groups >= 1 && context.equal(mod(dim(weight, 0), groups), 0),
  found: ({ weight }, { groups }) => `dim(weight, 0) is ${dim(weight, 0).key} and groups is ${groups}`,
}

/** How many windows fit along spatial dim `i` of extent `extent`: none where the window is larger. */
export const windowsAlong = (
  extent: Index,
  kernel: IndexLike,
  w: Window,
  i: number,
  context: Pick<InferContext, 'symbols'>,
): Index => {
  const { stride, low, high, dilation } = along(w, i)
  const room = sub(add(extent, low + high - 1), mul(dilation, sub(kernel, 1)))
  return simplify(max(0, add(floorDiv(room, stride), 1)), symbolRanges(context.symbols))
}

/** Where window `at`, element `k` lies along spatial dim `i`; negative or too large in the padding. */
export const positionIn = (at: Index, k: Index, w: Window, i: number): Index => {
  const { stride, low, dilation } = along(w, i)
  return sub(add(mul(at, stride), mul(k, dilation)), low)
}

/** Which window has element `k` at position `x`: its number, and whether there is one (it may still lie outside). */
export const windowAt = (
  x: Index,
  k: Index,
  w: Window,
  i: number,
): { readonly window: Index; readonly exact: Scalar | undefined } => {
  const { stride, low, dilation } = along(w, i)
  const start = sub(add(x, low), mul(k, dilation))
  return {
    window: floorDiv(start, stride),
    exact: stride === 1 ? undefined : binary('eq', indexScalar(mod(start, stride)), literal(0, 'i32')),
  }
}

/** `value` where all conditions hold (those that are undefined always do), else zero. */
export const whereAll = (conditions: readonly (Scalar | undefined)[], value: Scalar): Scalar => {
  const real = conditions.filter(c => c !== undefined)
  const [first, ...rest] = real
  if (first === undefined) return value
  return select(
    rest.reduce((a, c) => binary('and', a, c), first),
    value,
    literal(0, value.dtype),
  )
}

export const isPadded = (w: Window): boolean => w.pads.some(p => p !== 0)

const along = (w: Window, i: number) => ({
  stride: w.strides[i] ?? 1,
  low: w.pads[i] ?? 0,
  high: w.pads[w.strides.length + i] ?? 0,
  dilation: w.dilations[i] ?? 1,
})

export const spatialOf = (shape: readonly Index[]): readonly Index[] => shape.slice(2)
export const zero = constant(0)
