/**
 * @file Physical layout of a buffer: an index map from logical dims to physical ones (permute, split, pad), plus strides
 * and an offset. Composed into each access when a region is lowered; ops never see it.
 */
import {
  type Index,
  type IndexLike,
  add,
  mapAtoms,
  mul,
  product,
  rowMajorStrides,
  sameIndex,
  sub,
  toIndex,
  variable,
} from '../index/index-expr.ts'

export interface Layout {
  /** Physical indices over the variables `d0`, `d1`, … of the logical dims. */
  readonly map: readonly Index[]
  /** Physical extents (padding included). */
  readonly shape: readonly Index[]
  /** Elements; row-major of `shape` where absent. A capacity larger than a length is a stride. */
  readonly strides?: readonly Index[]
  readonly offset?: Index
}

export const logicalDim = (i: number): Index => variable(`d${i}`)

export const rowMajor = (shape: readonly IndexLike[]): Layout => ({
  map: shape.map((_, i) => logicalDim(i)),
  shape: shape.map(toIndex),
})

/** Elements from the start to the last one that a strided shape reaches, over symbols. */
export const spanOf = ({ shape, strides, offset }: Pick<Layout, 'shape' | 'strides' | 'offset'>): Index =>
  strides === undefined
    ? add(offset ?? 0, product(shape))
    : add(offset ?? 0, 1, ...shape.map((extent, d) => mul(sub(extent, 1), strides[d] ?? 0)))

/** Whether a layout is plain row-major of the logical shape. */
export const isRowMajor = (layout: Layout, shape: readonly Index[]): boolean =>
  layout.map.length === shape.length &&
  layout.map.every((m, i) => sameIndex(m, logicalDim(i))) &&
  layout.shape.every((e, i) => sameIndex(e, shape[i] ?? -1)) &&
  (layout.offset === undefined || sameIndex(layout.offset, 0)) &&
  (layout.strides === undefined || layout.strides.every((s, i) => sameIndex(s, rowMajorStrides(layout.shape)[i] ?? -1)))

/** Physical indices of a logical access. */
export const applyLayout = (layout: Layout, logical: readonly Index[]): Index[] =>
  layout.map.map(m =>
    mapAtoms(m, atom =>
      atom.kind === 'var' && /^d\d+$/.test(atom.name) ? logical[Number(atom.name.slice(1))] : undefined,
    ),
  )
