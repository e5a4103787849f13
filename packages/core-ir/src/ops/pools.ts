/** @file What pools share: attributes, their constraints and the shape of the result. */
import type { TensorType } from '../graph/graph.ts'
import { type Index, constant } from '../index/index-expr.ts'
import type { AttrSpec, Constraint, InferContext } from './define-op.ts'
import { dim, rank } from './shapes.ts'
import { type Window, canonicalWindow, spatialOf, windowAttrs, windowFits, windowsAlong } from './windows.ts'

export const poolAttrs = {
  kernel: { kind: 'ints', doc: 'Extents of the window.' },
  ...windowAttrs,
  strides: { kind: 'ints', default: [], doc: 'Step of the window along each spatial dim; none given means kernel.' },
} as const satisfies Record<string, AttrSpec>

export interface Pool extends Window {
  readonly kernel: readonly number[]
}

export const poolWindow = <A extends Pool>(a: A, spatial: number): A =>
  canonicalWindow({ ...a, strides: a.strides.length === 0 ? a.kernel : a.strides }, spatial)

type X = { readonly x: TensorType }
export const poolFits: readonly Constraint<X, Pool>[] = [
  { id: 'rank-at-least-3', says: 'x is [batch, channels, ...spatial]', holds: ({ x }) => rank(x) >= 3, found: ({ x }) => `its rank is ${rank(x)}` },
  { id: 'kernel-fits', says: 'kernel has one positive integer for each spatial dim',
    holds: ({ x }, { kernel }) => kernel.length === rank(x) - 2 && kernel.every(k => Number.isInteger(k) && k >= 1),
    found: ({ x }, { kernel }) => `kernel is [${kernel.join(', ')}] for rank ${rank(x)}` },
  windowFits,
]

export const poolInfer = (x: TensorType, a: Pool, context: Pick<InferContext, 'symbols'>): Index[] => [
  dim(x, 0),
  dim(x, 1),
  ...spatialOf(x.shape).map((d, i) => windowsAlong(d, constant(a.kernel[i] ?? 1), a, i, context)),
]
