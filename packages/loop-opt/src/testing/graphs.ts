/** @file What tests of lowering share: programs of one graph, random inputs, and comparison with the graph's interpreter. */
import { arrayOf, type HostArray } from '@quern/artifact'
import { legalise } from '../legalise/legalise.ts'
import {
  type Graph,
  GraphBuilder,
  type HostTensor,
  type LoweredProgram,
  type ProgramGraph,
  type Value,
  ix,
  interpretGraphSync,
  interpretPlan,
  verifyLowered,
} from '@quern/core-ir'

export const programOf = (graph: Graph): ProgramGraph => ({
  name: graph.name,
  entries: new Map([['main', graph]]),
  states: [],
  sources: new Map(),
})

/** The whole graph as one region. */
export const asRegion = (graph: Graph, kind = 'elementwise'): Graph => {
  const builder = new GraphBuilder(graph.name, graph.symbols)
  const inputs = graph.inputs.map(({ name, value }) => builder.input(name, value.type))
  const results = builder.addTyped(
    'region',
    inputs,
    { body: graph, kind },
    graph.outputs.map(o => o.value.type),
  )
  return builder.finish(Object.fromEntries(graph.outputs.map((o, i) => [o.name, results[i] as Value])))
}

/** A generator that tests can repeat. */
export const random = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

export const randomInputs = (
  graph: Graph,
  symbols: ReadonlyMap<string, number>,
  next: () => number,
): Record<string, HostTensor> =>
  Object.fromEntries(
    graph.inputs.map(({ name, value: { type } }) => {
      const shape = type.shape.map(d => ix.evaluateIndex(d, symbols))
      const data: HostArray = new arrayOf[type.dtype](shape.reduce((a, b) => a * b, 1))
      for (let i = 0; i < data.length; i++) {
        const whole = Math.floor(next() * 8)
        if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(whole)
        else if (type.dtype === 'bool') data[i] = whole & 1
        else if (type.dtype === 'f16') data[i] = [0, 0x3c00, 0x4000, 0xbc00, 0x3800][whole % 5] ?? 0
        else data[i] = type.dtype.startsWith('f') ? next() * 4 - 2 : whole
      }
      return [name, { dtype: type.dtype, shape, data }]
    }),
  )

/** Every kernel as generators get it. */
export const legalised = <P extends LoweredProgram>(program: P): P => ({
  ...program,
  kernels: new Map([...program.kernels].map(([name, kernel]) => [name, legalise(kernel)])),
})

/** undefined where the plan gives what the graph means, and is sound; else the first difference, in words. */
export const difference = (
  graph: Graph,
  lowered: LoweredProgram,
  inputs: Record<string, HostTensor>,
): string | undefined => {
  verifyLowered(lowered)
  const expected = interpretGraphSync(graph, inputs)
  const { outputs, status } = interpretPlan(lowered, 'main', inputs)
  if (status !== undefined) return `status ${status.reason} in ${status.kernel}`
  for (const [name, want] of Object.entries(expected)) {
    const got = outputs[name]
    if (got === undefined) return `no output ${name}`
    if (got.shape.join() !== want.shape.join())
      return `${name} has shape [${got.shape.join()}], not [${want.shape.join()}]`
    for (let i = 0; i < want.data.length; i++) {
      const a = Number(got.data[i]),
        b = Number(want.data[i])
      const close = Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b))
      if (!close) return `${name}[${i}] is ${a}, not ${b}`
    }
  }
  return undefined
}

/** Values for the symbols of a graph, within their bounds. */
export const symbolValues = (graph: Graph, wanted: number): ReadonlyMap<string, number> =>
  new Map(
    [...graph.symbols.values()].map(s => {
      const fit = Math.max(s.min, Math.min(s.max ?? Infinity, wanted))
      return [s.name, Math.ceil(fit / s.multipleOf) * s.multipleOf]
    }),
  )
