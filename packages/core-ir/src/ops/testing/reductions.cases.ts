/** @file Random cases of reductions, norms, scans and sorting. */
import type { HostTensor } from '../../host-tensor.ts'
import { isFloat } from '../../scalar/scalar-ops.ts'
import type { Draw, Property } from './draw.ts'
import { sliceReference } from './movement.reference.ts'
import {
  argReference,
  batchNormReference,
  cumsumReference,
  normReference,
  reduceReference,
  softmaxReference,
  sortReference,
  sumToReference,
} from './reductions.reference.ts'
import { factorsOf, numbersOf, tensorOf } from './support.ts'

const factors = (d: Draw, shape: readonly number[]): HostTensor => {
  const x = d.summands(d.number(), shape)
  return d.special ? x : factorsOf(x)
}

export const reductionCases: Readonly<Record<string, Property>> = {
  'sum-to': d => {
    const x = d.summands(d.number(), d.shape())
    const shape = x.shape.slice(d.int(0, x.shape.length)).map(e => (d.flag() ? 1 : e))
    return { operands: [x], attrs: { shape }, expected: sumToReference(x, shape) }
  },
  ...Object.fromEntries(
    ['sum', 'prod', 'max', 'min', 'any', 'all'].map((kind): [string, Property] => [
      `reduce-${kind}`,
      d => {
        const shape = d.shape(),
          keepDims = d.flag()
        const x =
          kind === 'any' || kind === 'all'
            ? d.tensor('bool', shape)
            : kind === 'sum'
              ? d.summands(d.number(), shape)
              : kind === 'prod'
                ? factors(d, shape)
                : d.tensor(d.number(), shape)
        const axes = x.shape.flatMap((_, i) => (d.flag() ? [d.flag() ? i : i - x.shape.length] : [])).reverse()
        return {
          operands: [x],
          attrs: { axes, keepDims },
          expected: reduceReference(`reduce-${kind}`, x, axes, keepDims),
        }
      },
    ]),
  ),
  ...Object.fromEntries(
    (['argmax', 'argmin'] as const).map((op): [string, Property] => [
      op,
      d => {
        const x = d.tensor(d.number(), d.shape(1)),
          axis = d.int(0, x.shape.length - 1),
          keepDims = d.flag(),
          dtype = d.position()
        const holed =
          isFloat(x.dtype) && d.flag()
            ? tensorOf(x.dtype, x.shape, i => (i % 5 === 3 ? NaN : (numbersOf(x)[i] ?? 0)))
            : x
        return {
          operands: [holed],
          attrs: { axis, keepDims, dtype },
          expected: argReference(op, holed, axis, keepDims, dtype),
        }
      },
    ]),
  ),
  ...Object.fromEntries(
    ['softmax', 'log-softmax'].map((op): [string, Property] => [
      op,
      d => {
        const x = d.summands(d.float(), d.shape(1)),
          axis = d.int(0, x.shape.length - 1)
        return {
          operands: [x],
          attrs: { axis: axis - x.shape.length },
          expected: softmaxReference(x, axis, op === 'log-softmax'),
        }
      },
    ]),
  ),
  'batch-norm': d => {
    const x = d.summands(d.float(), d.shape(1)),
      axis = d.int(0, x.shape.length - 1),
      channel = x.shape.slice(axis, axis + 1),
      epsilon = d.of(1e-3, 0.1)
    const one = (): HostTensor => d.summands(x.dtype, channel)
    const spread = one()
    const mean = one(),
      variance = tensorOf(x.dtype, channel, i => Math.abs(numbersOf(spread)[i] ?? 0)),
      scale = d.flag() ? one() : undefined,
      bias = d.flag() ? one() : undefined
    return {
      operands: [x, mean, variance, scale, bias],
      attrs: { axis, epsilon },
      expected: batchNormReference(x, mean, variance, scale, bias, axis, epsilon),
    }
  },
  'layer-norm': d => {
    const x = d.summands(d.float(), d.shape(1)),
      axis = d.int(0, x.shape.length - 1),
      row = x.shape.slice(axis),
      epsilon = d.of(1e-5, 0.1)
    const scale = d.flag() ? d.tensor(x.dtype, row) : undefined,
      bias = d.flag() ? d.tensor(x.dtype, row) : undefined
    return {
      operands: [x, scale, bias],
      attrs: { axis, epsilon },
      expected: normReference(x, scale, bias, axis, epsilon, true),
    }
  },
  'rms-norm': d => {
    const x = d.summands(d.float(), d.shape(1)),
      axis = d.int(0, x.shape.length - 1),
      epsilon = d.of(1e-5, 0.1)
    const scale = d.flag() ? d.tensor(x.dtype, x.shape.slice(axis)) : undefined
    return {
      operands: [x, scale],
      attrs: { axis, epsilon },
      expected: normReference(x, scale, undefined, axis, epsilon, false),
    }
  },
  cumsum: d => {
    const x = d.summands(d.number(), d.shape(1)),
      axis = d.int(0, x.shape.length - 1),
      exclusive = d.flag(),
      reverse = d.flag()
    return {
      operands: [x],
      attrs: { axis, exclusive, reverse },
      expected: cumsumReference(x, axis, exclusive, reverse),
    }
  },
  sort: d => {
    const shape = d.extents(d.int(1, 2)),
      axis = d.int(0, shape.length - 1),
      descending = d.flag(),
      dtype = d.position()
    const x = d.tensor(
      d.number(),
      shape.map((e, i) => (i === axis ? d.extent(0, 21) : e)),
    )
    const holed = isFloat(x.dtype)
      ? tensorOf(x.dtype, x.shape, i => (i % 7 === 3 ? NaN : i % 11 === 5 ? -0 : Math.round(numbersOf(x)[i] ?? 0)))
      : x
    return {
      operands: [holed],
      attrs: { axis, descending, dtype },
      expected: sortReference(holed, axis, descending, dtype),
    }
  },
  'sort-first': d => {
    const x = d.tensor(d.number(), [d.extent(0, 2), d.extent(0, 12)]),
      count = d.int(0, x.shape[1] ?? 0),
      descending = d.flag(),
      dtype = d.position()
    const numbers = numbersOf(x)
    const holed =
      isFloat(x.dtype) && !d.special
        ? tensorOf(x.dtype, x.shape, i => (i % 7 === 3 ? NaN : i % 11 === 5 ? -0 : Math.round(numbers[i] ?? 0)))
        : x
    const cut = (t: HostTensor): HostTensor => sliceReference(t, [0, 0], [x.shape[0] ?? 0, count], [1, 1])
    return {
      operands: [holed],
      attrs: { count, axis: 1, descending, dtype },
      expected: sortReference(holed, 1, descending, dtype).map(cut),
    }
  },
  'top-k': d => {
    const x = d.tensor(d.number(), [d.extent(0, 2), d.extent(0, 12)]),
      k = d.int(0, x.shape[1] ?? 0),
      largest = d.flag()
    const [values, positions] = sortReference(x, 1, largest, 'i32')
    const cut = (t: HostTensor | undefined): HostTensor => sliceReference(t ?? x, [0, 0], [x.shape[0] ?? 0, k], [1, 1])
    return { operands: [x], attrs: { k, largest }, expected: [cut(values), cut(positions)] }
  },
}
