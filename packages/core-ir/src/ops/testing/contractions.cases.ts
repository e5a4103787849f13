/** @file Random cases of matrix products, convolutions and pools. */
import type { HostTensor } from '../../host-tensor.ts'
import {
  avgPoolReference,
  convReference,
  convTransposeReference,
  matmulReference,
  maxPoolIndexReference,
  maxPoolReference,
  maxUnpoolReference,
  outExtents,
  sumUnpoolReference,
  takePooledReference,
} from './contractions.reference.ts'
import type { Draw, Property } from './draw.ts'

/** Strides, pads and dilations, each pad of its own. */
const window = (d: Draw, spatial: number) => ({
  strides: Array.from({ length: spatial }, () => d.int(1, 3)),
  pads: Array.from({ length: 2 * spatial }, () => d.int(0, 2)),
  dilations: Array.from({ length: spatial }, () => d.int(1, 3)),
})

const kernelOf = (d: Draw, spatial: number): number[] => Array.from({ length: spatial }, () => d.int(1, 3))

const pool = (d: Draw, sums = false): { x: HostTensor; kernel: number[]; w: ReturnType<typeof window> } => {
  const spatial = d.int(1, 2)
  const shape = [...d.extents(2, 0, 2, 40), ...d.extents(spatial, 1, 6, 70)]
  const dtype = d.float()
  return {
    x: sums ? d.summands(dtype, shape) : d.tensor(dtype, shape),
    kernel: kernelOf(d, spatial),
    w: window(d, spatial),
  }
}

export const contractionCases: Readonly<Record<string, Property>> = {
  matmul: d => {
    const batch = d.shape(0, 2),
      dtype = d.number(),
      transposeLhs = d.flag(),
      transposeRhs = d.flag()
    const [m = 0, k = 0, n = 0] = d.extents(3, 0, 4, 20_000)
    const some = (): number[] => batch.slice(d.int(0, batch.length)).map(e => (d.flag() ? 1 : e))
    const lhs = d.summands(dtype, [...some(), ...(transposeLhs ? [k, m] : [m, k])]),
      rhs = d.summands(dtype, [...some(), ...(transposeRhs ? [n, k] : [k, n])])
    return {
      operands: [lhs, rhs],
      attrs: { transposeLhs, transposeRhs },
      expected: matmulReference(lhs, rhs, transposeLhs, transposeRhs),
    }
  },
  conv: d => {
    const spatial = d.int(1, 2),
      groups = d.int(1, 3),
      [per = 1, out = 1] = d.extents(2, 1, 2, 40),
      dtype = d.number(),
      w = window(d, spatial)
    const x = d.summands(dtype, [d.int(0, 2), groups * per, ...d.extents(spatial, 0, 6, 70)])
    const weight = d.summands(dtype, [groups * out, per, ...kernelOf(d, spatial)])
    return { operands: [x, weight], attrs: { ...w, groups }, expected: convReference(x, weight, groups, w) }
  },
  'conv-transpose': d => {
    const spatial = d.int(1, 2),
      groups = d.int(1, 2),
      [per = 1, each = 1] = d.extents(2, 1, 2, 40),
      out = groups * each,
      dtype = d.number(),
      w = window(d, spatial)
    const extents = d.extents(spatial, 0, 6, 70),
      kernel = kernelOf(d, spatial)
    const x = d.summands(dtype, [d.int(0, 2), out, ...outExtents(extents, kernel, w)]),
      weight = d.summands(dtype, [out, per, ...kernel])
    return {
      operands: [x, weight],
      attrs: { ...w, groups, extents },
      expected: convTransposeReference(x, weight, groups, extents, w),
    }
  },
  'max-pool': d => {
    const { x, kernel, w } = pool(d)
    return { operands: [x], attrs: { kernel, ...w }, expected: maxPoolReference(x, kernel, w) }
  },
  'max-pool-index': d => {
    const { x, kernel, w } = pool(d)
    return { operands: [x], attrs: { kernel, ...w }, expected: maxPoolIndexReference(x, kernel, w) }
  },
  'avg-pool': d => {
    const { x, kernel, w } = pool(d, true),
      countPads = d.flag()
    return { operands: [x], attrs: { kernel, ...w, countPads }, expected: avgPoolReference(x, kernel, w, countPads) }
  },
  'sum-unpool': d => {
    const { x, kernel, w } = pool(d, true),
      extents = d.extents(kernel.length, 0, 6, 70)
    return { operands: [x], attrs: { kernel, ...w, extents }, expected: sumUnpoolReference(x, kernel, extents, w) }
  },
  'max-unpool': d => {
    const { x, kernel, w } = pool(d, true),
      extents = d.extents(kernel.length, 0, 6, 70)
    const winners = d.ints(x.shape, 0, kernel.reduce((p, k) => p * k, 1) - 1)
    return {
      operands: [x, winners],
      attrs: { kernel, ...w, extents },
      expected: maxUnpoolReference(x, winners, kernel, extents, w),
    }
  },
  'take-pooled': d => {
    const { x, kernel, w } = pool(d)
    const winners = d.ints(
      [...x.shape.slice(0, 2), ...outExtents(x.shape.slice(2), kernel, w)],
      0,
      kernel.reduce((p, k) => p * k, 1) - 1,
    )
    return { operands: [x, winners], attrs: { kernel, ...w }, expected: takePooledReference(x, winners, kernel, w) }
  },
}
