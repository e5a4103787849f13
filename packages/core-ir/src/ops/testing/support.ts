/** @file For tests of ops: random tensors, and graphs of one node. */
import type { DType } from '@quern/artifact'
import { GraphBuilder, tensorType } from '../../graph/builder.ts'
import type { Attrs, Graph, Value } from '../../graph/graph.ts'
import { interpretGraphSync } from '../../graph/interpret.ts'
import { type HostTensor, zeros } from '../../host-tensor.ts'
import { type Index, variable } from '../../index/index-expr.ts'
import { elementsOf } from '../../loop/memory.ts'
import { castValue } from '../../scalar/cast.ts'
import { ops } from '../registry.ts'
import { isFloat } from '../../scalar/scalar-ops.ts'
import { type ScalarValue, integerBounds, isWide } from '../../scalar/value.ts'

/** A number generator that is the same for the same seed (mulberry32), in [0, 1). */
export const generator = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Floats in ±4 (some of them equal), integers in ±9, truths. */
export const randomTensor = (dtype: DType, shape: readonly number[], seed: number): HostTensor => {
  const next = generator(seed)
  return tensorOf(dtype, shape, () =>
    dtype === 'bool'
      ? Math.round(next())
      : isFloat(dtype)
        ? next() < 0.2
          ? Math.round(next() * 4 - 2)
          : next() * 8 - 4
        : Math.round(next() * 18 - (dtype.startsWith('u') ? 0 : 9)),
  )
}

/** Multiples of 1/16 in ±4: halves sum up many of them exactly. */
export const sixteenths = (dtype: DType, shape: readonly number[], seed: number): HostTensor => {
  const next = generator(seed)
  return tensorOf(dtype, shape, () => Math.round(next() * 128 - 64) / 16)
}

/** Floats near ±1 instead of these, so that their products overflow in no order; integers as they are. */
export const factorsOf = (x: HostTensor): HostTensor => {
  const numbers = numbersOf(x)
  return isFloat(x.dtype) ? tensorOf(x.dtype, x.shape, i => (i % 3 === 0 ? -1 : 1) * 2 ** ((numbers[i] ?? 0) / 16)) : x
}

/** Which of a float's special values to draw; integers have their extremes in any case. */
export interface Specials {
  /** NaN and the infinities. */
  readonly unbounded: boolean
  readonly subnormal: boolean
  /** The largest finite ones, halfway cases of rounding, bounds of integers. */
  readonly finite: boolean
}

const largest = { f16: 65504, f32: 3.4028234663852886e38, f64: Number.MAX_VALUE }
const smallest = { f16: 2 ** -24, f32: 2 ** -149, f64: Number.MIN_VALUE }
const leastNormal = { f16: 2 ** -14, f32: 2 ** -126, f64: 2 ** -1022 }

const specialsOf = (dtype: DType, { unbounded, subnormal, finite }: Specials): readonly ScalarValue[] => {
  if (dtype === 'bool') return [0, 1]
  if (dtype === 'f16' || dtype === 'f32' || dtype === 'f64')
    return [0, -0, 1, -1]
      .concat(unbounded ? [NaN, Infinity, -Infinity] : [])
      .concat(subnormal ? [smallest[dtype], -smallest[dtype], leastNormal[dtype] * 0.75] : [])
      .concat(finite ? [largest[dtype], -largest[dtype], leastNormal[dtype], 0.5, -1.5, 2.5, 2049, 2 ** 15] : [])
      .concat(finite && dtype !== 'f16' ? [255.5, 65536, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 63, 16777217] : [])
  const { min, max } = integerBounds(dtype)
  return [min, max, min + 1n, max - 1n, 0n, 1n, min < 0n ? -1n : 2n, 7n, 8n, 31n, 32n, 33n, 63n, 64n].map(x =>
    isWide(dtype) ? x : Number(x),
  )
}

/** Special values among plain ones. */
export const specialTensor = (dtype: DType, shape: readonly number[], seed: number, specials: Specials): HostTensor => {
  const tensor = randomTensor(dtype, shape, seed)
  const elements = elementsOf(dtype, tensor.data)
  const next = generator(seed + 1)
  const from = specialsOf(dtype, specials)
  for (let i = 0; i < tensor.data.length; i++) {
    const chosen = from[Math.floor(next() * from.length * 1.5)]
    if (chosen !== undefined) elements.set(i, chosen)
  }
  return tensor
}

export const tensorOf = (dtype: DType, shape: readonly number[], element: (i: number) => number): HostTensor => {
  const tensor = zeros(dtype, shape)
  const elements = elementsOf(dtype, tensor.data)
  for (let i = 0; i < tensor.data.length; i++) elements.set(i, castValue('f64', dtype, element(i)))
  return tensor
}

/** The elements as numbers. */
export const numbersOf = (t: HostTensor): number[] => {
  const elements = elementsOf(t.dtype, t.data)
  return Array.from({ length: t.data.length }, (_, i) => Number(elements.get(i)))
}

/** Whether an operand has to be known at build: tests give it as a constant then. */
export const isKnownOperand = (op: string, i: number): boolean => {
  const { operands = [], known = [] } = ops.get(op) ?? {}
  return known.includes(operands[i] ?? '')
}
export const constantOf = (b: GraphBuilder, t: HostTensor): Value =>
  b.one('constant', [], { data: { kind: 'inline', values: numbersOf(t) }, dtype: t.dtype, shape: [...t.shape] })

/** A graph of one node; outputs `out0`, `out1` … Dims are literal, or one symbol for each of these extents. */
export const oneNode = (
  op: string,
  operands: readonly (HostTensor | undefined)[],
  attrs: Attrs,
  symbolic: 'all' | readonly number[] = [],
): Graph => {
  const extents = new Set(symbolic === 'all' ? operands.flatMap(t => t?.shape ?? []) : symbolic)
  const symbols = [...extents].map(e => ({ name: symbolOf(e), min: 0, max: undefined, multipleOf: 1 }))
  const b = new GraphBuilder('one', new Map(symbols.map(s => [s.name, s])))
  const dims = (shape: readonly number[]): (number | Index)[] =>
    shape.map(e => (extents.has(e) ? variable(symbolOf(e)) : e))
  const inputs = operands.map(
    (t, i) => t && (isKnownOperand(op, i) ? constantOf(b, t) : b.input(`in${i}`, tensorType(t.dtype, dims(t.shape)))),
  )
  const specs = ops.get(op)?.attrs ?? {}
  const own = Object.entries(attrs).map(([name, value]) => [
    name,
    specs[name]?.kind === 'dims' ? dims(value as readonly number[]) : value,
  ])
  const results = b.add(op, inputs, Object.fromEntries(own) as Attrs)
  return b.finish(Object.fromEntries(results.map((r, i) => [`out${i}`, r])))
}
/** The symbol that stands for an extent. */
export const symbolOf = (extent: number): string => `s${extent}`

export const runOne = (graph: Graph, operands: readonly (HostTensor | undefined)[]): HostTensor[] => {
  const given: Record<string, HostTensor> = {}
  operands.forEach((t, i) => t && (given[`in${i}`] = t))
  const outputs = interpretGraphSync(graph, given)
  return graph.outputs.map(o => {
    const tensor = outputs[o.name]
    if (tensor === undefined) throw new RangeError(`no output ${o.name}`)
    return tensor
  })
}

export const runOp = (op: string, operands: readonly (HostTensor | undefined)[], attrs: Attrs = {}): HostTensor[] =>
  runOne(oneNode(op, operands, attrs), operands)
