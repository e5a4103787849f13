/** @file Reference for matrix products, convolutions and pools. */
import type { HostTensor } from '../../host-tensor.ts'
import {
  type Element,
  add,
  build,
  countOf,
  flatten,
  isInside,
  multiply,
  read,
  subscripts,
  zeroOf,
} from './reference-tensor.ts'

export const matmulReference = (
  lhs: HostTensor,
  rhs: HostTensor,
  transposeLhs: boolean,
  transposeRhs: boolean,
): HostTensor => {
  const batchOf = (t: HostTensor): number[] => t.shape.slice(0, -2)
  const rank = Math.max(lhs.shape.length, rhs.shape.length) - 2
  const padded = (s: readonly number[]): number[] => [...Array.from({ length: rank - s.length }, () => 1), ...s]
  const a = padded(batchOf(lhs)),
    b = padded(batchOf(rhs))
  const batch = a.map((d, i) => (d === 1 ? (b[i] ?? 1) : d))
  const [p = 0, q = 0] = lhs.shape.slice(-2),
    [r = 0, s = 0] = rhs.shape.slice(-2)
  const [m, k] = transposeLhs ? [q, p] : [p, q],
    n = transposeRhs ? r : s
  const place = (t: HostTensor, at: readonly number[]): number[] =>
    batchOf(t).map((d, i) => (d === 1 ? 0 : (at[rank - (t.shape.length - 2) + i] ?? 0)))
  return build(lhs.dtype, [...batch, m, n], at => {
    const i = at[rank] ?? 0,
      j = at[rank + 1] ?? 0
    let total = zeroOf(lhs.dtype)
    for (let x = 0; x < k; x++)
      total = add(
        total,
        multiply(
          read(lhs, [...place(lhs, at), ...(transposeLhs ? [x, i] : [i, x])]),
          read(rhs, [...place(rhs, at), ...(transposeRhs ? [j, x] : [x, j])]),
        ),
      )
    return total
  })
}

export interface Windows {
  readonly strides: readonly number[]
  readonly pads: readonly number[]
  readonly dilations: readonly number[]
}

export const outExtents = (extents: readonly number[], kernel: readonly number[], w: Windows): number[] =>
  extents.map((e, i) => {
    let count = 0
    const reach = ((kernel[i] ?? 1) - 1) * (w.dilations[i] ?? 1)
    const low = w.pads[i] ?? 0,
      high = w.pads[extents.length + i] ?? 0
    for (let start = -low; start + reach < e + high; start += w.strides[i] ?? 1) count++
    return count
  })

/** Where element `k` of window `p` lies. */
const placed = (p: readonly number[], k: readonly number[], w: Windows): number[] =>
  p.map((at, i) => at * (w.strides[i] ?? 1) + (k[i] ?? 0) * (w.dilations[i] ?? 1) - (w.pads[i] ?? 0))

export const convReference = (x: HostTensor, weight: HostTensor, groups: number, w: Windows): HostTensor => {
  const [n = 0, , ...extents] = x.shape,
    [out = 0, per = 0, ...kernel] = weight.shape
  return build(x.dtype, [n, out, ...outExtents(extents, kernel, w)], ([b = 0, o = 0, ...p]) => {
    const group = Math.floor(o / (out / groups))
    let total = zeroOf(x.dtype)
    for (const [c = 0, ...k] of subscripts([per, ...kernel])) {
      const at = placed(p, k, w)
      if (isInside(at, extents))
        total = add(total, multiply(read(x, [b, group * per + c, ...at]), read(weight, [o, c, ...k])))
    }
    return total
  })
}

/** Every input element spreads over the results it contributes to. */
export const convTransposeReference = (
  x: HostTensor,
  weight: HostTensor,
  groups: number,
  extents: readonly number[],
  w: Windows,
): HostTensor => {
  const [n = 0, out = 0] = x.shape,
    [, per = 0, ...kernel] = weight.shape
  const shape = [n, groups * per, ...extents]
  const totals: Element[] = Array.from({ length: countOf(shape) }, () => zeroOf(x.dtype))
  for (const [b = 0, o = 0, ...p] of subscripts(x.shape))
    for (const [c = 0, ...k] of subscripts([per, ...kernel])) {
      const at = placed(p, k, w)
      if (!isInside(at, extents)) continue
      const flat = flatten([b, Math.floor(o / (out / groups)) * per + c, ...at], shape)
      totals[flat] = add(totals[flat] ?? NaN, multiply(read(x, [b, o, ...p]), read(weight, [o, c, ...k])))
    }
  return build(x.dtype, shape, at => totals[flatten(at, shape)] ?? NaN)
}

/** The elements of each window with their places in it; those in the padding are left out. */
const windows = (
  x: HostTensor,
  kernel: readonly number[],
  w: Windows,
  f: (all: readonly (readonly [Element, number])[]) => Element,
  dtype = x.dtype,
): HostTensor => {
  const [n = 0, c = 0, ...extents] = x.shape
  return build(dtype, [n, c, ...outExtents(extents, kernel, w)], ([b = 0, ch = 0, ...p]) =>
    f(
      [...subscripts(kernel)].flatMap((k, position) => {
        const at = placed(p, k, w)
        return isInside(at, extents) ? [[read(x, [b, ch, ...at]), position] as const] : []
      }),
    ),
  )
}

export const maxPoolReference = (x: HostTensor, kernel: readonly number[], w: Windows): HostTensor =>
  windows(x, kernel, w, all => all.reduce<Element>((a, [v]) => (v > a ? v : a), -Infinity))

export const maxPoolIndexReference = (x: HostTensor, kernel: readonly number[], w: Windows): HostTensor =>
  windows(
    x,
    kernel,
    w,
    all => all.reduce<readonly [Element, number]>((a, b) => (b[0] > a[0] ? b : a), [-Infinity, 0])[1],
    'i32',
  )

export const avgPoolReference = (
  x: HostTensor,
  kernel: readonly number[],
  w: Windows,
  countPads: boolean,
): HostTensor =>
  windows(
    x,
    kernel,
    w,
    all => all.reduce((s, [v]) => s + Number(v), 0) / (countPads ? countOf(kernel) : Math.max(1, all.length)),
  )

/** Adds each element of x to those places of its window that `taken` accepts. */
const spread = (
  x: HostTensor,
  kernel: readonly number[],
  extents: readonly number[],
  w: Windows,
  taken: (at: readonly number[], position: number) => boolean,
): HostTensor => {
  const shape = [...x.shape.slice(0, 2), ...extents]
  const totals: Element[] = Array.from({ length: countOf(shape) }, () => 0)
  for (const [b = 0, c = 0, ...p] of subscripts(x.shape))
    [...subscripts(kernel)].forEach((k, position) => {
      const at = placed(p, k, w)
      if (!isInside(at, extents) || !taken([b, c, ...p], position)) return
      const flat = flatten([b, c, ...at], shape)
      totals[flat] = add(totals[flat] ?? NaN, read(x, [b, c, ...p]))
    })
  return build(x.dtype, shape, at => totals[flatten(at, shape)] ?? NaN)
}

export const sumUnpoolReference = (
  x: HostTensor,
  kernel: readonly number[],
  extents: readonly number[],
  w: Windows,
): HostTensor => spread(x, kernel, extents, w, () => true)
export const maxUnpoolReference = (
  x: HostTensor,
  winners: HostTensor,
  kernel: readonly number[],
  extents: readonly number[],
  w: Windows,
): HostTensor => spread(x, kernel, extents, w, (at, position) => Number(read(winners, at)) === position)

export const takePooledReference = (
  x: HostTensor,
  winners: HostTensor,
  kernel: readonly number[],
  w: Windows,
): HostTensor => {
  const places = [...subscripts(kernel)]
  return build(x.dtype, winners.shape, ([b = 0, c = 0, ...p]) => {
    const k = places[Number(read(winners, [b, c, ...p]))]
    const at = k === undefined ? [-1] : placed(p, k, w)
    return k !== undefined && isInside(at, x.shape.slice(2)) ? read(x, [b, c, ...at]) : 0
  })
}
