/** @file Reference for reductions, norms, scans and sorting. */
import type { HostTensor } from '../../host-tensor.ts'
import {
  type Element,
  add,
  build,
  countOf,
  flatten,
  isInt,
  multiply,
  oneOf,
  read,
  subscripts,
  zeroOf,
} from './reference-tensor.ts'

const grouped = (x: HostTensor, shape: readonly number[], place: (at: readonly number[]) => number[]): Element[][] => {
  const groups: Element[][] = Array.from({ length: countOf(shape) }, () => [])
  for (const at of subscripts(x.shape)) groups[flatten(place(at), shape)]?.push(read(x, at))
  return groups
}

/** The least and the largest value of a dtype. */
const extremes = (dtype: HostTensor['dtype']): readonly [Element, Element] => {
  if (!isInt(dtype)) return [-Infinity, Infinity]
  const bits = BigInt(dtype.slice(1))
  return dtype.startsWith('i') ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n]
}
const larger = (a: Element, b: Element): Element => (Number.isNaN(a) ? a : Number.isNaN(b) || b > a ? b : a)
const smaller = (a: Element, b: Element): Element => (Number.isNaN(a) ? a : Number.isNaN(b) || b < a ? b : a)

const folds: Record<string, (all: readonly Element[], dtype: HostTensor['dtype']) => Element> = {
  'reduce-sum': (all, dtype) => all.reduce(add, zeroOf(dtype)),
  'reduce-prod': (all, dtype) => all.reduce(multiply, oneOf(dtype)),
  'reduce-max': (all, dtype) => all.reduce(larger, extremes(dtype)[0]),
  'reduce-min': (all, dtype) => all.reduce(smaller, extremes(dtype)[1]),
  'reduce-any': all => (all.includes(1) ? 1 : 0),
  'reduce-all': all => (all.includes(0) ? 0 : 1),
}

export const reduceReference = (op: string, x: HostTensor, axes: readonly number[], keepDims: boolean): HostTensor => {
  const over = axes.length === 0 ? x.shape.map((_, i) => i) : axes.map(a => (a < 0 ? a + x.shape.length : a))
  const whole = x.shape.map((d, i) => (over.includes(i) ? 1 : d))
  const groups = grouped(x, whole, at => at.map((k, i) => (over.includes(i) ? 0 : k)))
  const shape = keepDims ? whole : x.shape.filter((_, i) => !over.includes(i))
  return build(x.dtype, shape, at => folds[op]?.(groups[flatten(at, shape)] ?? [], x.dtype) ?? NaN)
}

export const sumToReference = (x: HostTensor, shape: readonly number[]): HostTensor => {
  const extra = x.shape.length - shape.length
  const groups = grouped(x, shape, at => shape.map((d, i) => (d === 1 ? 0 : (at[i + extra] ?? 0))))
  return build(x.dtype, shape, at => (groups[flatten(at, shape)] ?? []).reduce(add, zeroOf(x.dtype)))
}

/** The elements along an axis through a place. */
const row = (x: HostTensor, at: readonly number[], axis: number): Element[] =>
  Array.from({ length: x.shape[axis] ?? 0 }, (_, k) =>
    read(
      x,
      at.map((i, d) => (d === axis ? k : i)),
    ),
  )

export const argReference = (
  op: 'argmax' | 'argmin',
  x: HostTensor,
  axis: number,
  keepDims: boolean,
  dtype: 'i32' | 'i64',
): HostTensor => {
  const shape = x.shape.flatMap((d, i) => (i === axis ? (keepDims ? [1] : []) : [d]))
  return build(dtype, shape, at => {
    const all = row(x, keepDims ? at : [...at.slice(0, axis), 0, ...at.slice(axis)], axis)
    const nan = all.findIndex(v => Number.isNaN(v))
    if (nan >= 0) return nan
    const best = all.reduce<Element | undefined>(
      (a, b) => (a === undefined || (op === 'argmax' ? b > a : b < a) ? b : a),
      undefined,
    )
    return best === undefined ? 0 : all.indexOf(best)
  })
}

export const softmaxReference = (x: HostTensor, axis: number, log: boolean): HostTensor =>
  build(x.dtype, x.shape, at => {
    const all = row(x, at, axis).map(Number),
      own = Number(read(x, at))
    const top = Math.max(...all)
    const total = all.reduce((s, v) => s + Math.exp(v - top), 0)
    return log ? own - top - Math.log(total) : Math.exp(own - top) / total
  })

export const normReference = (
  x: HostTensor,
  scale: HostTensor | undefined,
  bias: HostTensor | undefined,
  axis: number,
  epsilon: number,
  centre: boolean,
): HostTensor =>
  build(x.dtype, x.shape, at => {
    const rowShape = x.shape.slice(axis)
    const all = [...subscripts(rowShape)].map(rest => Number(read(x, [...at.slice(0, axis), ...rest])))
    const mean = centre ? all.reduce((a, b) => a + b, 0) / all.length : 0
    const square = all.reduce((s, v) => s + (v - mean) ** 2, 0) / all.length
    const unit = (Number(read(x, at)) - mean) / Math.sqrt(square + epsilon)
    const place = at.slice(axis)
    return (
      unit * (scale === undefined ? 1 : Number(read(scale, place))) +
      (bias === undefined ? 0 : Number(read(bias, place)))
    )
  })

export const batchNormReference = (
  x: HostTensor,
  mean: HostTensor,
  variance: HostTensor,
  scale: HostTensor | undefined,
  bias: HostTensor | undefined,
  axis: number,
  epsilon: number,
): HostTensor =>
  build(x.dtype, x.shape, at => {
    const place = at.slice(axis, axis + 1)
    const of = (t: HostTensor | undefined, absent: number): number =>
      t === undefined ? absent : Number(read(t, place))
    const unit = (Number(read(x, at)) - of(mean, 0)) / Math.sqrt(of(variance, 1) + epsilon)
    return unit * of(scale, 1) + of(bias, 0)
  })

export const cumsumReference = (x: HostTensor, axis: number, exclusive: boolean, reverse: boolean): HostTensor =>
  build(x.dtype, x.shape, at => {
    const here = at[axis] ?? 0
    return row(x, at, axis)
      .filter((_, k) => (reverse ? (exclusive ? k > here : k >= here) : exclusive ? k < here : k <= here))
      .reduce(add, zeroOf(x.dtype))
  })

export const sortReference = (x: HostTensor, axis: number, descending: boolean, dtype: 'i32' | 'i64'): HostTensor[] => {
  const order = (a: Element, b: Element): number => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return a < b ? -1 : a > b ? 1 : 0
  }
  const sorted = (at: readonly number[]): (readonly [Element, number])[] =>
    row(x, at, axis)
      .map((v, k) => [v, k] as const)
      .sort((p, q) => (descending ? order(q[0], p[0]) : order(p[0], q[0])) || p[1] - q[1])
  return [
    build(x.dtype, x.shape, at => sorted(at)[at[axis] ?? 0]?.[0] ?? NaN),
    build(dtype, x.shape, at => sorted(at)[at[axis] ?? 0]?.[1] ?? NaN),
  ]
}
