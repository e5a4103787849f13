/** @file Reference for the ops that only move elements. */
import type { HostTensor } from '../../host-tensor.ts'
import { type Element, build, flatten, isInside, read, subscripts, zeroOf } from './reference-tensor.ts'

export const broadcastReference = (x: HostTensor, shape: readonly number[]): HostTensor =>
  build(x.dtype, shape, at =>
    read(
      x,
      x.shape.map((d, i) => (d === 1 ? 0 : (at[shape.length - x.shape.length + i] ?? 0))),
    ),
  )

export const reshapeReference = (x: HostTensor, shape: readonly number[]): HostTensor => {
  const all = [...subscripts(x.shape)].map(at => read(x, at))
  return build(x.dtype, shape, at => all[flatten(at, shape)] ?? NaN)
}

export const transposeReference = (x: HostTensor, perm: readonly number[]): HostTensor =>
  build(
    x.dtype,
    perm.map(p => x.shape[p] ?? 0),
    at => {
      const from: number[] = []
      perm.forEach((p, i) => (from[p] = at[i] ?? 0))
      return read(x, from)
    },
  )

export const sliceReference = (
  x: HostTensor,
  starts: readonly number[],
  sizes: readonly number[],
  steps: readonly number[],
): HostTensor =>
  build(x.dtype, sizes, at =>
    read(
      x,
      at.map((i, d) => (starts[d] ?? 0) + i * (steps[d] ?? 1)),
    ),
  )

export const unsliceReference = (
  x: HostTensor,
  starts: readonly number[],
  steps: readonly number[],
  shape: readonly number[],
): HostTensor => {
  const out = new Map<number, Element>()
  for (const at of subscripts(x.shape)) {
    const to = at.map((i, d) => (starts[d] ?? 0) + i * (steps[d] ?? 1))
    if (isInside(to, shape)) out.set(flatten(to, shape), read(x, at))
  }
  return build(x.dtype, shape, at => out.get(flatten(at, shape)) ?? zeroOf(x.dtype))
}

export const padReference = (
  x: HostTensor,
  low: readonly number[],
  high: readonly number[],
  value: Element,
): HostTensor =>
  build(
    x.dtype,
    x.shape.map((d, i) => d + (low[i] ?? 0) + (high[i] ?? 0)),
    at => {
      const from = at.map((i, d) => i - (low[d] ?? 0))
      return isInside(from, x.shape) ? read(x, from) : value
    },
  )

export const concatReference = (parts: readonly HostTensor[], axis: number): HostTensor => {
  const [first] = parts
  if (first === undefined) throw new RangeError('nothing to join')
  const places = parts.flatMap((p, n) => Array.from({ length: p.shape[axis] ?? 0 }, (_, i) => [n, i] as const))
  return build(
    first.dtype,
    first.shape.map((d, i) => (i === axis ? places.length : d)),
    at => {
      const [n, i] = places[at[axis] ?? 0] ?? [0, 0]
      return read(
        parts[n] ?? first,
        at.map((k, d) => (d === axis ? i : k)),
      )
    },
  )
}

/** Counted from the end where negative, then moved inside. */
const clamped = (i: Element, extent: number): number => {
  const n = Number(i) < 0 ? Number(i) + extent : Number(i)
  return n < 0 ? 0 : n >= extent ? extent - 1 : n
}
const named = (at: readonly number[], axis: number, by: readonly number[], taken: number): number[] => [
  ...at.slice(0, axis),
  ...by,
  ...at.slice(axis + taken),
]

export const gatherReference = (x: HostTensor, indices: HostTensor, axis: number): HostTensor => {
  const extent = x.shape[axis] ?? 0,
    n = indices.shape.length
  return build(x.dtype, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], at =>
    extent === 0
      ? zeroOf(x.dtype)
      : read(x, named(at, axis, [clamped(read(indices, at.slice(axis, axis + n)), extent)], n)),
  )
}

export const gatherElementsReference = (x: HostTensor, indices: HostTensor, axis: number): HostTensor =>
  build(x.dtype, indices.shape, at => read(x, named(at, axis, [clamped(read(indices, at), x.shape[axis] ?? 0)], 1)))

const met = (was: Element, update: Element, reduction: string): Element => {
  if (reduction === 'add') return typeof was === 'bigint' ? was + BigInt(update) : was + Number(update)
  if (reduction === 'mul') return typeof was === 'bigint' ? was * BigInt(update) : was * Number(update)
  if (reduction === 'min') return update < was ? update : was
  if (reduction === 'max') return update > was ? update : was
  return update
}

const scattered = (
  x: HostTensor,
  updates: HostTensor,
  reduction: string,
  place: (at: readonly number[]) => readonly number[],
): HostTensor => {
  const out = [...subscripts(x.shape)].map(at => read(x, at))
  for (const at of subscripts(updates.shape)) {
    const to = place(at)
    if (!isInside(to, x.shape)) continue
    const flat = flatten(to, x.shape)
    out[flat] = met(out[flat] ?? NaN, read(updates, at), reduction)
  }
  return build(x.dtype, x.shape, at => out[flatten(at, x.shape)] ?? NaN)
}

export const scatterReference = (
  x: HostTensor,
  indices: HostTensor,
  updates: HostTensor,
  axis: number,
  reduction: string,
): HostTensor =>
  scattered(x, updates, reduction, at => named(at, axis, [clamped(read(indices, at), x.shape[axis] ?? 0)], 1))

export const scatterRowsReference = (
  x: HostTensor,
  indices: HostTensor,
  updates: HostTensor,
  axis: number,
  reduction: string,
): HostTensor => {
  const n = indices.shape.length
  return scattered(x, updates, reduction, at =>
    named(at, axis, [clamped(read(indices, at.slice(axis, axis + n)), x.shape[axis] ?? 0)], n),
  )
}

export const appendReference = (x: HostTensor, rows: HostTensor, position: number, axis: number): HostTensor =>
  scattered(x, rows, 'none', at => named(at, axis, [position + (at[axis] ?? 0)], 1))

export const takeRowsReference = (x: HostTensor, position: number, axis: number, extent: number): HostTensor =>
  build(
    x.dtype,
    x.shape.map((d, i) => (i === axis ? extent : d)),
    at => {
      const from = named(at, axis, [position + (at[axis] ?? 0)], 1)
      return isInside(from, x.shape) ? read(x, from) : zeroOf(x.dtype)
    },
  )

export const iotaReference = (shape: readonly number[], axis: number, dtype: HostTensor['dtype']): HostTensor =>
  build(dtype, shape, at => at[axis] ?? 0)

export const nonzeroReference = (x: HostTensor, dtype: 'i32' | 'i64'): HostTensor[] => {
  const found = [...subscripts(x.shape)].filter(at => Number(read(x, at)) !== 0)
  return [
    build(dtype, [found.length, x.shape.length], ([k = 0, d = 0]) => found[k]?.[d] ?? NaN),
    build('i32', [], () => found.length),
  ]
}
