/** @file For tests of ops: random tensors, and graphs of one node. */
import type { DType } from '@quern/artifact'
import { GraphBuilder, tensorType } from '../../graph/builder.ts'
import type { Attrs, Graph } from '../../graph/graph.ts'
import { interpretGraphSync } from '../../graph/interpret.ts'
import { type HostTensor, zeros } from '../../host-tensor.ts'
import { variable } from '../../index/index-expr.ts'
import { elementsOf } from '../../loop/memory.ts'
import { castValue } from '../../scalar/cast.ts'
import { isFloat } from '../../scalar/scalar-ops.ts'

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

/** A graph of one node; outputs `out0`, `out1` … Dims are literal, or one symbol for each extent that occurs. */
export const oneNode = (
  op: string,
  operands: readonly (HostTensor | undefined)[],
  attrs: Attrs,
  dims: 'literal' | 'symbolic' = 'literal',
): Graph => {
  const extents = dims === 'literal' ? [] : new Set(operands.flatMap(t => t?.shape ?? []))
  const symbols = [...extents].map(e => ({ name: `s${e}`, min: 0, max: undefined, multipleOf: 1 }))
  const b = new GraphBuilder('one', new Map(symbols.map(s => [s.name, s])))
  const inputs = operands.map(
    (t, i) =>
      t && b.input(`in${i}`, tensorType(t.dtype, dims === 'literal' ? t.shape : t.shape.map(e => variable(`s${e}`)))),
  )
  const results = b.add(op, inputs, attrs)
  return b.finish(Object.fromEntries(results.map((r, i) => [`out${i}`, r])))
}

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
