/** @file Functions that only move elements. */
import { type DType, QuernError } from '@quern/artifact'
import { inWords, ix, mergeSymbols, printIndex, provesEqual, simplify, symbolRanges } from '@quern/core-ir'
import { currentOrigin } from '../origin.ts'
import type { AnyShape, Flattened, Permuted, SameRank, WrittenShape } from '../shape-types.ts'
import { checkList, checkOptions, checkTensor, refuse } from '../arguments.ts'
import { type Size, type Sizes, symbolsOf, toIndex, toShape } from '../size.ts'
import { type AnyTensor, type Tensor, apply, isTensor, noteOf } from '../tensor.ts'
import { checkFits } from '../weights/constant.ts'
import { axisOf, newAxis } from './axis.ts'
import { broadcastTo } from './unify.ts'

/** The same elements, row-major, in another shape; one size may be -1: the rest. */
export const reshape = <D extends DType, const S extends Sizes>(x: Tensor<D>, shape: S): Tensor<D, WrittenShape<S>> => {
  checkTensor('reshape', 'x', x)
  checkList('reshape', 'the shape', shape)
  const rest = shape.flatMap((s, i) => (s === -1 ? [i] : []))
  const given = toShape(
    'reshape',
    shape.filter(s => s !== -1),
  )
  if (rest.length === 0) return apply('reshape', [x], { shape: given })
  const whole = ix.product(x.type.shape),
    known = ix.product(given)
  if (rest.length > 1 || ix.isConst(known, 0))
    refuse(
      'reshape/one-rest',
      `reshape takes -1 once, for the one size that follows from the others, and ${rest.length > 1 ? `${rest.length} were given` : 'a size of 0 leaves it open'}: write the sizes`,
      { op: 'reshape', operands: [noteOf(x, 'x')] },
    )
  if (ix.isConst(whole) && ix.isConst(known) && whole.value % known.value !== 0)
    refuse(
      'reshape/rest-divides',
      `reshape cannot fill in -1: ${whole.value} elements of x do not divide into parts of ${known.value}`,
      { op: 'reshape', operands: [noteOf(x, 'x')] },
    )
  const filled = [...given]
  for (const at of rest) filled.splice(at, 0, ix.floorDiv(whole, known))
  return apply('reshape', [x], { shape: filled })
}

/** [n, …] → [n, the product of the rest]. */
export const flatten = <D extends DType, S extends AnyShape>(x: Tensor<D, S>): Tensor<D, Flattened<S>> => {
  checkTensor('flatten', 'x', x)
  const [first = ix.constant(1), ...rest] = x.type.shape
  return apply('reshape', [x], { shape: [first, ix.product(rest)] })
}

/** Permutes the dims; without `perm`, reverses them. */
export const transpose = <D extends DType, S extends AnyShape, const P extends readonly number[]>(
  x: Tensor<D, S>,
  perm?: P,
): Tensor<D, Permuted<S, P>> => {
  checkTensor('transpose', 'x', x)
  return apply('transpose', [x], { perm: perm ?? x.type.shape.map((_, i) => x.type.shape.length - 1 - i) })
}

/** Repeats dims of size 1 (and new leading dims) up to a shape. */
export const broadcast = <D extends DType, const S extends Sizes>(
  x: Tensor<D>,
  shape: S,
): Tensor<D, WrittenShape<S>> => {
  checkTensor('broadcast', 'x', x)
  return broadcastTo(x, toShape('broadcast', shape)) as Tensor<D, WrittenShape<S>>
}

export interface SliceRange {
  readonly start?: Size
  readonly end?: Size
  readonly step?: number
}

const checkRange = (range: SliceRange): void => {
  checkOptions('slice', range, ['start', 'end', 'step'])
  const { start, end, step = 1 } = range
  for (const [key, value] of [['start', start] as const, ['end', end] as const, ['step', step] as const])
    if (value !== undefined && (typeof value === 'number' ? !Number.isSafeInteger(value) : key === 'step'))
      refuse('slice/whole-numbers', `slice takes a whole number as ${key}, not ${inWords(value)}`, { op: 'slice' })
  if (step === 0) refuse('slice/step-not-zero', 'slice takes a step that is not 0: it would stay where it is')
}

/**
 * x[start:end:step] along each listed dim (undefined keeps a dim whole). Numbers mean what they mean in NumPy: negative ones
 * count from the end, and those beyond an end stop there, at every size of a symbolic dim. An expression over dims is taken at
 * its word: the bounds that it needs of dims are checked when the model runs.
 */
export const slice = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  ranges: readonly (SliceRange | undefined)[],
): Tensor<D, SameRank<S>> => {
  checkTensor('slice', 'x', x)
  checkList('slice', 'the ranges', ranges)
  if (ranges.length > x.type.shape.length)
    refuse(
      'slice/one-for-each-dim',
      `slice takes at most one range for each dim of x, and was given ${ranges.length} for a tensor of rank ${x.type.shape.length}`,
      { op: 'slice', operands: [noteOf(x, 'x')] },
    )
  for (const range of ranges) if (range !== undefined) checkRange(range)
  const starts: ix.Index[] = [],
    sizes: ix.Index[] = [],
    steps: number[] = []
  const symbols = mergeSymbols(x.symbols, ...ranges.flatMap(r => [symbolsOf(r?.start), symbolsOf(r?.end)]))
  const known = symbolRanges(symbols)
  x.type.shape.forEach((extent, i) => {
    const { start, end, step = 1 } = ranges[i] ?? {}
    const [least, most] = step > 0 ? [ix.constant(0), extent] : [ix.constant(-1), ix.sub(extent, 1)]
    const from = (size: Size | undefined, fallback: ix.Index): ix.Index => {
      if (size === undefined) return fallback
      if (typeof size !== 'number') return toIndex(size)
      const at = size < 0 ? ix.add(extent, size) : ix.constant(size)
      return simplify(ix.max(least, ix.min(at, most)), known)
    }
    const first = from(start, step > 0 ? least : most)
    const last = from(end, step > 0 ? most : least)
    const count = step > 0 ? ix.ceilDiv(ix.sub(last, first), step) : ix.ceilDiv(ix.sub(first, last), -step)
    starts.push(first)
    sizes.push(simplify(ix.max(0, count), known))
    steps.push(step)
  })
  return apply('slice', [x], { starts, sizes, steps }, symbols)
}

/** Surrounds x by `value`: `low` and `high` elements a dim. */
export const pad = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  low: readonly number[],
  high: readonly number[],
  value = 0,
): Tensor<D, SameRank<S>> => {
  checkTensor('pad', 'x', x)
  checkFits([value], x.dtype)
  return apply('pad', [x], { low, high, value })
}

/** Joins tensors along an axis. */
export const concat = <D extends DType, S extends AnyShape>(
  parts: readonly [Tensor<D, S>, ...Tensor<D>[]],
  axis = 0,
): Tensor<D, SameRank<S>> => {
  checkParts('concat', parts)
  return apply('concat', parts, { axis: axisOf('concat', parts[0], axis) })
}

const checkParts = (op: string, parts: readonly AnyTensor[]): void => {
  if (isTensor(parts))
    refuse('model/not-a-list', `${op} takes a list of tensors, as in ${op}([x, y]), and was given a tensor`, { op })
  checkList(op, 'the parts', parts)
  if (parts.length === 0) refuse(`${op}/some-parts`, `${op} takes at least one tensor, and the list is empty`, { op })
  parts.forEach((part, i) => checkTensor(op, `part ${i + 1}`, part))
}

/**
 * Joins tensors of one shape along a new axis: `numpy.stack`, how single examples become a batch.
 * @throws concat/parts-agree where shapes differ
 */
export const stack = <D extends DType, S extends AnyShape>(
  parts: readonly [Tensor<D, S>, ...Tensor<D>[]],
  axis = 0,
): Tensor<D> => {
  checkParts('stack', parts)
  const [first, ...rest] = parts
  const at = newAxis('stack', first, axis)
  return concat([unsqueeze(first, at), ...rest.map(t => unsqueeze(t, at))], at)
}

/**
 * Parts of x along an axis, of the sizes given: `torch.split`. The sizes add up to that of the axis.
 * @throws split/sizes-add-up where they do not
 */
export const split = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  sizes: readonly Size[],
  axis = 0,
): readonly Tensor<D, SameRank<S>>[] => {
  const at = axisOf('split', x, axis)
  checkList('split', 'the sizes', sizes)
  const extent = x.type.shape[at] ?? ix.constant(1)
  const total = ix.add(0, ...sizes.map(toIndex))
  if (!provesEqual(total, extent, x.symbols))
    throw new QuernError(
      'split/sizes-add-up',
      `split needs sizes that add up to the axis, and ${printIndex(total)} is not ${printIndex(extent)}`,
      { op: 'split', axis: at, origin: currentOrigin() },
    )
  const { shape } = x.type
  return sizes.map((size, i) => {
    const start = ix.add(0, ...sizes.slice(0, i).map(toIndex))
    return apply('slice', [x], {
      starts: shape.map((_, d) => (d === at ? start : ix.constant(0))),
      sizes: shape.map((whole, d) => (d === at ? toIndex(size) : whole)),
      steps: shape.map(() => 1),
    })
  })
}

/** The parts of x along an axis of static size, without it: `torch.unbind`, the inverse of {@link stack}. */
export const unstack = <D extends DType>(x: Tensor<D>, axis = 0): readonly Tensor<D>[] => {
  const at = axisOf('unstack', x, axis)
  const extent = x.type.shape[at] ?? ix.constant(1)
  if (!ix.isConst(extent))
    throw new QuernError(
      'unstack/static-axis',
      `unstack needs an axis whose size is a number, and this one is ${printIndex(extent)}`,
      { op: 'unstack', axis: at, origin: currentOrigin() },
    )
  const ones = Array.from({ length: extent.value }, () => 1)
  return split(x, ones, at).map(part => squeeze(part, at))
}

/** Rows of x along an axis, chosen by integers (negative ones count from the end; those outside are clamped). */
export const gather = <D extends DType>(
  x: Tensor<D>,
  indices: Tensor<'i32' | 'i64' | 'u8' | 'u32' | 'i8' | 'i16' | 'u16'>,
  axis = 0,
): Tensor<D> => apply('gather', [x, indices], { axis: axisOf('gather', x, axis) })

/**
 * x with `rows` in place of those from `position` on: how a KV cache grows. Rows beyond its end are dropped. As the next value
 * of a state it is written in place.
 */
export const append = <D extends DType, S extends AnyShape>(
  x: Tensor<D, S>,
  rows: Tensor<D>,
  position: Tensor<'i32' | 'i64' | 'u32'>,
  axis = 0,
): Tensor<D, S> => apply('append', [x, rows, position], { axis: axisOf('append', x, axis) })

/** x[:, …, None, …]: a new dim of size 1 at `axis`. */
export const unsqueeze = <D extends DType>(x: Tensor<D>, axis: number): Tensor<D> => {
  const at = newAxis('unsqueeze', x, axis)
  return apply('reshape', [x], { shape: [...x.type.shape.slice(0, at), ix.constant(1), ...x.type.shape.slice(at)] })
}

/** Drops a dim of size 1. */
export const squeeze = <D extends DType>(x: Tensor<D>, axis: number): Tensor<D> => {
  const at = axisOf('squeeze', x, axis)
  const extent = x.type.shape[at] ?? ix.constant(1)
  if (!ix.isConst(extent, 1))
    refuse('squeeze/dim-is-one', `squeeze drops a dim of size 1, and dim ${at} of x is ${printIndex(extent)}`, {
      op: 'squeeze',
      operands: [noteOf(x, 'x')],
    })
  return apply('reshape', [x], { shape: x.type.shape.filter((_, i) => i !== at) })
}
