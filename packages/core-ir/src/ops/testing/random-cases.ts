/** @file Random cases of every op but control flow and regions, with what their references say. */
import type { DType } from '@quern/artifact'
import fc from 'fast-check'
import type { Attrs } from '../../graph/graph.ts'
import type { HostTensor } from '../../host-tensor.ts'
import { type BinaryOp, type UnaryOp, accepts, binaryOps, isFloat, unaryOps } from '../../scalar/scalar-ops.ts'
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
import {
  binaryReference,
  castReference,
  geluReference,
  geluTanhReference,
  reluReference,
  selectReference,
  siluReference,
  unaryReference,
} from './elementwise.reference.ts'
import {
  appendReference,
  broadcastReference,
  concatReference,
  gatherElementsReference,
  gatherReference,
  iotaReference,
  nonzeroReference,
  padReference,
  reshapeReference,
  scatterReference,
  scatterRowsReference,
  sliceReference,
  takeRowsReference,
  transposeReference,
  unsliceReference,
} from './movement.reference.ts'
import {
  argReference,
  cumsumReference,
  normReference,
  reduceReference,
  softmaxReference,
  sortReference,
  sumToReference,
} from './reductions.reference.ts'
import { numbersOf, randomTensor, tensorOf } from './support.ts'

/** What a random case draws from; shrinks towards small shapes. */
export class Draw {
  private readonly gen: fc.GeneratorValue
  constructor(gen: fc.GeneratorValue) {
    this.gen = gen
  }
  int(min: number, max: number): number {
    return this.gen(fc.integer, { min, max })
  }
  flag(): boolean {
    return this.gen(fc.boolean)
  }
  of<T>(...values: readonly T[]): T {
    const value = values[this.int(0, values.length - 1)]
    if (value === undefined) throw new RangeError('nothing to choose from')
    return value
  }
  extents(rank: number, least = 0, most = 4): number[] {
    return Array.from({ length: rank }, () => this.int(least, most))
  }
  shape(least = 0, most = 3): number[] {
    return this.extents(this.int(least, most))
  }
  tensor(dtype: DType, shape: readonly number[]): HostTensor {
    return randomTensor(dtype, shape, this.int(0, 0xffff))
  }
  ints(shape: readonly number[], min: number, max: number, dtype: DType = 'i32'): HostTensor {
    const from = this.int(0, 0xffff)
    return tensorOf(dtype, shape, i => min + ((from + i * 7919) % (max - min + 1)))
  }
  number(): DType {
    return this.of<DType>('f32', 'f64', 'i32', 'i64', 'u8')
  }
  float(): DType {
    return this.of<DType>('f32', 'f64')
  }
  dtypeFor(kind: Parameters<typeof accepts>[0]): DType {
    return this.of(
      ...(['f32', 'f64', 'i32', 'i64', 'u8', 'i8', 'u32', 'bool', 'f16'] as const).filter(d => accepts(kind, d)),
    )
  }
}

export interface Case {
  readonly operands: readonly (HostTensor | undefined)[]
  readonly attrs?: Attrs
  readonly expected: HostTensor | readonly HostTensor[]
}
export type Property = (d: Draw) => Case

/** Strides, pads and dilations for a kernel that fits at least once. */
const window = (d: Draw, spatial: number) => ({
  strides: Array.from({ length: spatial }, () => d.int(1, 3)),
  pads: Array.from({ length: 2 * spatial }, () => d.int(0, 2)),
  dilations: Array.from({ length: spatial }, () => d.int(1, 2)),
})

const pool = (d: Draw): { x: HostTensor; kernel: number[]; w: ReturnType<typeof window> } => {
  const spatial = d.int(1, 2)
  return {
    x: d.tensor(d.float(), [d.int(0, 2), d.int(1, 2), ...d.extents(spatial, 1, 6)]),
    kernel: d.extents(spatial, 1, 3),
    w: window(d, spatial),
  }
}

const scattering = (d: Draw): { x: HostTensor; axis: number; reduction: string } => {
  const shape = d.extents(d.int(1, 3), 1)
  return {
    x: d.tensor(d.number(), shape),
    axis: d.int(0, shape.length - 1),
    reduction: d.of('none', 'add', 'mul', 'min', 'max'),
  }
}

const positive = (t: HostTensor): HostTensor => tensorOf(t.dtype, t.shape, i => Math.abs(numbersOf(t)[i] ?? 0) + 0.01)

export const randomCases: Readonly<Record<string, Property>> = {
  ...Object.fromEntries(
    (Object.keys(unaryOps) as UnaryOp[]).map((op): [string, Property] => [
      op,
      d => {
        const x = d.tensor(d.dtypeFor(unaryOps[op].accepts), d.shape())
        return { operands: [x], expected: unaryReference(op, x) }
      },
    ]),
  ),
  ...Object.fromEntries(
    (Object.keys(binaryOps) as BinaryOp[]).map((op): [string, Property] => [
      op,
      d => {
        const dtype = d.dtypeFor(binaryOps[op].accepts),
          shape = d.shape()
        const x = d.tensor(dtype, shape),
          y = d.tensor(dtype, shape)
        const base = op === 'pow' ? positive(x) : x
        return { operands: [base, y], expected: binaryReference(op, base, y) }
      },
    ]),
  ),
  relu: d => {
    const x = d.tensor(d.number(), d.shape())
    return { operands: [x], expected: reluReference(x) }
  },
  silu: d => {
    const x = d.tensor(d.float(), d.shape())
    return { operands: [x], expected: siluReference(x) }
  },
  gelu: d => {
    const x = d.tensor(d.float(), d.shape()),
      approximate = d.of('none', 'tanh')
    return {
      operands: [x],
      attrs: { approximate },
      expected: approximate === 'tanh' ? geluTanhReference(x) : geluReference(x),
    }
  },
  select: d => {
    const shape = d.shape(),
      dtype = d.dtypeFor('any')
    const c = d.tensor('bool', shape),
      x = d.tensor(dtype, shape),
      y = d.tensor(dtype, shape)
    return { operands: [c, x, y], expected: selectReference(c, x, y) }
  },
  cast: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape()),
      dtype = d.dtypeFor('any')
    const scaled = isFloat(x.dtype)
      ? tensorOf(x.dtype, x.shape, i => (numbersOf(x)[i] ?? 0) * 10 ** d.of(0, 1, 3, 12))
      : x
    return { operands: [scaled], attrs: { dtype }, expected: castReference(scaled, dtype) }
  },
  identity: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape())
    return { operands: [x], expected: x }
  },
  'stop-gradient': d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape())
    return { operands: [x], expected: x }
  },
  constant: d => {
    const shape = d.shape(),
      dtype = d.of<DType>('f32', 'i32', 'f64')
    const x = d.tensor(dtype, shape)
    const values = numbersOf(x)
    return { operands: [], attrs: { data: { kind: 'inline', values }, dtype, shape }, expected: x }
  },
  iota: d => {
    const shape = d.shape(1),
      axis = d.int(0, shape.length - 1),
      dtype = d.number()
    return { operands: [], attrs: { shape, axis, dtype }, expected: iotaReference(shape, axis, dtype) }
  },
  'dim-value': d => {
    const value = d.int(0, 1000),
      dtype = d.number()
    return {
      operands: [],
      attrs: { value, dtype },
      expected: tensorOf(dtype, [], () => (dtype === 'u8' ? value % 256 : value)),
    }
  },
  broadcast: d => {
    const shape = d.shape(),
      kept = shape.slice(d.int(0, shape.length)).map(e => (d.flag() ? 1 : e))
    const x = d.tensor(d.dtypeFor('any'), kept)
    return { operands: [x], attrs: { shape }, expected: broadcastReference(x, shape) }
  },
  'sum-to': d => {
    const x = d.tensor(d.number(), d.shape())
    const shape = x.shape.slice(d.int(0, x.shape.length)).map(e => (d.flag() ? 1 : e))
    return { operands: [x], attrs: { shape }, expected: sumToReference(x, shape) }
  },
  reshape: d => {
    const factors = d.extents(d.int(0, 4), d.of(0, 1, 1, 1), 4)
    // Neighbours merge at random, on either side, and ones are put in anywhere.
    const merged = (): number[] => {
      const shape: number[] = []
      for (const f of factors) {
        if (d.flag() && shape.length > 0) shape.push((shape.pop() ?? 1) * f)
        else shape.push(f)
        if (d.int(0, 3) === 0) shape.push(1)
      }
      return shape
    }
    const x = d.tensor(d.dtypeFor('any'), merged()),
      shape = merged()
    return { operands: [x], attrs: { shape }, expected: reshapeReference(x, shape) }
  },
  transpose: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(0, 4))
    const perm = x.shape.map((_, i) => i).sort(() => d.int(-1, 1))
    return { operands: [x], attrs: { perm }, expected: transposeReference(x, perm) }
  },
  slice: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(0, 3))
    const parts = x.shape.map(extent => {
      const step = d.of(1, 2, 3, -1, -2),
        start = d.int(0, Math.max(0, extent - 1))
      const room = extent === 0 ? 0 : Math.floor((step > 0 ? extent - 1 - start : start) / Math.abs(step)) + 1
      return { step, start, size: d.int(0, room) }
    })
    const starts = parts.map(p => p.start),
      sizes = parts.map(p => p.size),
      steps = parts.map(p => p.step)
    return { operands: [x], attrs: { starts, sizes, steps }, expected: sliceReference(x, starts, sizes, steps) }
  },
  unslice: d => {
    const x = d.tensor(d.number(), d.shape(0, 3))
    const parts = x.shape.map(extent => {
      const step = d.of(1, 2, 3, -1, -2),
        low = d.int(0, 2)
      const reach = Math.max(0, extent - 1) * Math.abs(step)
      return { step, start: step > 0 ? low : low + reach, extent: low + reach + d.int(1, 3) }
    })
    const starts = parts.map(p => p.start),
      steps = parts.map(p => p.step),
      shape = parts.map(p => p.extent)
    return { operands: [x], attrs: { starts, steps, shape }, expected: unsliceReference(x, starts, steps, shape) }
  },
  pad: d => {
    const x = d.tensor(d.number(), d.shape()),
      low = d.extents(x.shape.length, 0, 2),
      high = d.extents(x.shape.length, 0, 2),
      value = d.int(0, 9)
    return {
      operands: [x],
      attrs: { low, high, value },
      expected: padReference(x, low, high, isFloat(x.dtype) ? value : BigInt(value)),
    }
  },
  concat: d => {
    const shape = d.extents(d.int(1, 3)),
      axis = d.int(0, shape.length - 1),
      dtype = d.dtypeFor('any')
    const parts = Array.from({ length: d.int(1, 4) }, () =>
      d.tensor(
        dtype,
        shape.map((e, i) => (i === axis ? d.int(0, 3) : e)),
      ),
    )
    return {
      operands: parts,
      attrs: { axis: d.flag() ? axis : axis - shape.length },
      expected: concatReference(parts, axis),
    }
  },
  gather: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(1)),
      axis = d.int(0, x.shape.length - 1)
    const dtype = d.of<DType>('i32', 'i64', 'u8', 'u32', 'i8')
    const indices = d.ints(d.shape(0, 2), dtype.startsWith('u') ? 0 : -6, 6, dtype)
    return {
      operands: [x, indices],
      attrs: { axis: d.flag() ? axis : axis - x.shape.length },
      expected: gatherReference(x, indices, axis),
    }
  },
  'gather-elements': d => {
    const x = d.tensor(d.dtypeFor('any'), d.extents(d.int(1, 3), 1)),
      axis = d.int(0, x.shape.length - 1)
    const indices = d.ints(
      x.shape.map((e, i) => (i === axis ? d.int(0, 5) : e)),
      -6,
      6,
      d.of<DType>('i32', 'i64'),
    )
    return { operands: [x, indices], attrs: { axis }, expected: gatherElementsReference(x, indices, axis) }
  },
  scatter: d => {
    const { x, axis, reduction } = scattering(d)
    const indices = d.ints(
      x.shape.map((e, i) => (i === axis ? d.int(0, 5) : e)),
      -6,
      6,
      d.of<DType>('i32', 'i64'),
    )
    const updates = d.tensor(x.dtype, indices.shape)
    return {
      operands: [x, indices, updates],
      attrs: { axis, reduction },
      expected: scatterReference(x, indices, updates, axis, reduction),
    }
  },
  'scatter-rows': d => {
    const { x, axis, reduction } = scattering(d)
    const indices = d.ints(d.shape(0, 2), -6, 6, d.of<DType>('i32', 'i64'))
    const updates = d.tensor(x.dtype, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)])
    return {
      operands: [x, indices, updates],
      attrs: { axis, reduction },
      expected: scatterRowsReference(x, indices, updates, axis, reduction),
    }
  },
  append: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape(1)),
      axis = d.int(0, x.shape.length - 1)
    const rows = d.tensor(
        x.dtype,
        x.shape.map((e, i) => (i === axis ? d.int(0, 3) : e)),
      ),
      position = d.int(-3, 6)
    return {
      operands: [x, rows, tensorOf(d.of<DType>('i32', 'i64'), [], () => position)],
      attrs: { axis },
      expected: appendReference(x, rows, position, axis),
    }
  },
  'take-rows': d => {
    const x = d.tensor(d.number(), d.shape(1)),
      axis = d.int(0, x.shape.length - 1),
      extent = d.int(0, 4),
      position = d.int(-3, 6)
    return {
      operands: [x, tensorOf('i32', [], () => position)],
      attrs: { axis, extent },
      expected: takeRowsReference(x, position, axis, extent),
    }
  },
  ...Object.fromEntries(
    ['sum', 'prod', 'max', 'min', 'any', 'all'].map((kind): [string, Property] => [
      `reduce-${kind}`,
      d => {
        const x = d.tensor(kind === 'any' || kind === 'all' ? 'bool' : d.number(), d.shape()),
          keepDims = d.flag()
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
          dtype = d.of('i32' as const, 'i64' as const)
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
        const x = d.tensor(d.float(), d.shape(1)),
          axis = d.int(0, x.shape.length - 1)
        return {
          operands: [x],
          attrs: { axis: axis - x.shape.length },
          expected: softmaxReference(x, axis, op === 'log-softmax'),
        }
      },
    ]),
  ),
  'layer-norm': d => {
    const x = d.tensor(d.float(), d.shape(1)),
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
    const x = d.tensor(d.float(), d.shape(1)),
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
    const x = d.tensor(d.number(), d.shape(1)),
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
      dtype = d.of('i32' as const, 'i64' as const)
    const x = d.tensor(
      d.number(),
      shape.map((e, i) => (i === axis ? d.int(0, 21) : e)),
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
    const x = d.tensor(d.number(), [d.int(0, 2), d.int(0, 12)]),
      count = d.int(0, x.shape[1] ?? 0),
      descending = d.flag(),
      dtype = d.of('i32' as const, 'i64' as const)
    const holed = isFloat(x.dtype)
      ? tensorOf(x.dtype, x.shape, i => (i % 7 === 3 ? NaN : i % 11 === 5 ? -0 : Math.round(numbersOf(x)[i] ?? 0)))
      : x
    const cut = (t: HostTensor): HostTensor => sliceReference(t, [0, 0], [x.shape[0] ?? 0, count], [1, 1])
    return {
      operands: [holed],
      attrs: { count, axis: 1, descending, dtype },
      expected: sortReference(holed, 1, descending, dtype).map(cut),
    }
  },
  'top-k': d => {
    const x = d.tensor(d.number(), [d.int(0, 2), d.int(0, 12)]),
      k = d.int(0, x.shape[1] ?? 0),
      largest = d.flag()
    const [values, positions] = sortReference(x, 1, largest, 'i32')
    const cut = (t: HostTensor | undefined): HostTensor => sliceReference(t ?? x, [0, 0], [x.shape[0] ?? 0, k], [1, 1])
    return { operands: [x], attrs: { k, largest }, expected: [cut(values), cut(positions)] }
  },
  nonzero: d => {
    const x = d.tensor(d.dtypeFor('any'), d.shape()),
      dtype = d.of('i32' as const, 'i64' as const)
    return { operands: [x], attrs: { dtype }, expected: nonzeroReference(x, dtype) }
  },
  matmul: d => {
    const batch = d.shape(0, 2),
      dtype = d.number(),
      transposeLhs = d.flag(),
      transposeRhs = d.flag()
    const [m, k, n] = [d.int(0, 4), d.int(0, 4), d.int(0, 4)]
    const some = (): number[] => batch.slice(d.int(0, batch.length)).map(e => (d.flag() ? 1 : e))
    const lhs = d.tensor(dtype, [...some(), ...(transposeLhs ? [k, m] : [m, k])]),
      rhs = d.tensor(dtype, [...some(), ...(transposeRhs ? [n, k] : [k, n])])
    return {
      operands: [lhs, rhs],
      attrs: { transposeLhs, transposeRhs },
      expected: matmulReference(lhs, rhs, transposeLhs, transposeRhs),
    }
  },
  conv: d => {
    const spatial = d.int(1, 2),
      groups = d.int(1, 3),
      per = d.int(1, 2),
      dtype = d.number(),
      w = window(d, spatial)
    const x = d.tensor(dtype, [d.int(0, 2), groups * per, ...d.extents(spatial, 0, 6)])
    const weight = d.tensor(dtype, [groups * d.int(1, 2), per, ...d.extents(spatial, 1, 3)])
    return { operands: [x, weight], attrs: { ...w, groups }, expected: convReference(x, weight, groups, w) }
  },
  'conv-transpose': d => {
    const spatial = d.int(1, 2),
      groups = d.int(1, 2),
      out = groups * d.int(1, 2),
      dtype = d.number(),
      w = window(d, spatial)
    const extents = d.extents(spatial, 0, 6),
      kernel = d.extents(spatial, 1, 3)
    const x = d.tensor(dtype, [d.int(0, 2), out, ...outExtents(extents, kernel, w)]),
      weight = d.tensor(dtype, [out, d.int(1, 2), ...kernel])
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
    const { x, kernel, w } = pool(d),
      countPads = d.flag()
    return { operands: [x], attrs: { kernel, ...w, countPads }, expected: avgPoolReference(x, kernel, w, countPads) }
  },
  'sum-unpool': d => {
    const { x, kernel, w } = pool(d),
      extents = d.extents(kernel.length, 0, 6)
    return { operands: [x], attrs: { kernel, ...w, extents }, expected: sumUnpoolReference(x, kernel, extents, w) }
  },
  'max-unpool': d => {
    const { x, kernel, w } = pool(d),
      extents = d.extents(kernel.length, 0, 6)
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
