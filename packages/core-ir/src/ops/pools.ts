/** @file What pools share: attributes, their constraints and the shape of the result. */
import type { TensorType } from '../graph/graph.ts'
import { type Index, constant } from '../index/index-expr.ts'
import { neutralOf } from '../scalar/reduce.ts'
import { type Scalar, literal } from '../scalar/scalar.ts'
import type { AttrSpec, Constraint, InferContext, Operand } from './define-op.ts'
import { unflatten } from './reshape-indices.ts'
import { dim, rank } from './shapes.ts'
import {
  type Window,
  canonicalWindow,
  isPadded,
  positionIn,
  spatialOf,
  windowAttrs,
  windowFits,
  windowsAlong,
} from './windows.ts'

export const poolAttrs = {
  kernel: { kind: 'ints', doc: 'Extents of the window.' },
  ...windowAttrs,
  strides: { kind: 'ints', default: [], doc: 'Step of the window along each spatial dim; none given means kernel.' },
} as const satisfies Record<string, AttrSpec>

export interface Pool extends Window {
  readonly kernel: readonly number[]
}

/** The attributes that say what the windows are, without the others. */
export const windowOf = ({ kernel, strides, pads, dilations }: Pool) => ({ kernel, strides, pads, dilations })

export const poolWindow = <A extends Pool>(a: A, spatial: number): A =>
  canonicalWindow({ ...a, strides: a.strides.length === 0 ? a.kernel : a.strides }, spatial)

type X = { readonly x: TensorType }
export const poolFits: readonly Constraint<X, Pool>[] = [
  {
    id: 'rank-at-least-3',
    says: 'x is [batch, channels, ...spatial]',
    holds: ({ x }) => rank(x) >= 3,
    found: ({ x }) => `its rank is ${rank(x)}`,
  },
  {
    id: 'kernel-fits',
    says: 'kernel has one positive integer for each spatial dim',
    holds: ({ x }, { kernel }) => kernel.length === rank(x) - 2 && kernel.every(k => Number.isInteger(k) && k >= 1),
    found: ({ x }, { kernel }) => `kernel is [${kernel.join(', ')}] for rank ${rank(x)}`,
  },
  windowFits,
]

export const poolInfer = (x: TensorType, a: Pool, context: Pick<InferContext, 'symbols'>): Index[] => [
  dim(x, 0),
  dim(x, 1),
  ...spatialOf(x.shape).map((d, i) => windowsAlong(d, constant(a.kernel[i] ?? 1), a, i, context)),
]

/** Subscripts inside the window from a position in it, row-major. */
export const kernelIndices = (position: Index, kernel: readonly number[]): Index[] =>
  unflatten(
    position,
    kernel.map(k => constant(k)),
  )

/** The element of x at place `ks` of a window; the lowest value in the padding. */
export const windowElement = (x: Operand, [n, c, ...at]: readonly Index[], ks: readonly Index[], w: Window): Scalar => {
  const indices = [n ?? 0, c ?? 0, ...at.map((p, i) => positionIn(p, ks[i] ?? constant(0), w, i))]
  return isPadded(w) ? x.atOr(indices, literal(neutralOf('max', x.type.dtype), x.type.dtype)) : x.at(...indices)
}
