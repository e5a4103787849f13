/**
 * @file Runs a graph on every executor at several sizes, against the graph's interpreter: scheduled loops for one thread, for a
 * team and for a grid (their interpreter sees races and missing barriers), the compiled wasm module, and WGSL on a software adapter.
 */
import { type HostArray, type Manifest, arrayOf } from '@quern/artifact'
import { compile } from '@quern/compiler'
import {
  type Graph,
  GraphBuilder,
  type HostTensor,
  type SymbolInfo,
  type Value,
  expandKernel,
  interpretGraphSync,
  interpretPlan,
  ix,
  printKernel,
  verifyKernel,
} from '@quern/core-ir'
import { defaultLimits, emitKernel } from '@quern/codegen-wgsl'
import { formRegions } from '@quern/graph-opt'
import {
  type LowerProgramOptions,
  type LoweringResult,
  type TargetInfo,
  legalise,
  lowerProgram,
  regionLimits,
  wasmTarget,
  webgpuTarget,
} from '@quern/loop-opt'
import { createModel } from '@quern/runtime'
import { expect } from 'vitest'
import { nullDevice, softwareGpu, validate } from '../../packages/codegen-wgsl/test-support/dawn.ts'
import { type Loaded, loadProgram } from '../../packages/codegen-wgsl/test-support/run-plan.ts'

export type Make = (b: GraphBuilder) => Value | readonly Value[]
export type Sizes = Readonly<Record<string, number>>

export const n = ix.variable('n')
export const m = ix.variable('m')

/** A graph over the symbols n and m. */
export const graphOf = (make: Make, least = 0): Graph => {
  const b = new GraphBuilder('g')
  for (const name of ['n', 'm']) b.declare({ name, min: least, max: undefined, multipleOf: 1 } satisfies SymbolInfo)
  const made = make(b)
  const values = Array.isArray(made) ? (made as readonly Value[]) : [made as Value]
  return b.finish(Object.fromEntries(values.map((v, i) => [`y${i}`, v])))
}

const single = (graph: Graph) => ({ name: 'g', entries: new Map([['main', graph]]), states: [], sources: new Map() })

export const lowered = (graph: Graph, target: TargetInfo, options: LowerProgramOptions = {}): LoweringResult =>
  lowerProgram(single(formRegions(graph, regionLimits(target))), target, options)

/** As generators get them. */
export const legal = (program: LoweringResult): LoweringResult => ({
  ...program,
  kernels: new Map(
    [...program.kernels].map(([name, kernel]) => {
      const ready = expandKernel(legalise(kernel), { f16: 'via-f32' })
      verifyKernel(ready)
      return [name, ready]
    }),
  ),
})

export const textOf = (program: LoweringResult): string => [...program.kernels.values()].map(printKernel).join('\n')

/** Whole numbers with ties, and in floats a few fractions, NaN, infinities and both zeros where wanted. */
export interface Filling {
  /** Numbers below this. Default 9. */
  readonly below?: number
  readonly special?: boolean
}

export const inputsOf = (graph: Graph, sizes: Sizes, filling: Readonly<Record<string, Filling>> = {}) =>
  Object.fromEntries(
    graph.inputs.map(({ name, value: { type } }, seed): [string, HostTensor] => {
      const shape = type.shape.map(d => ix.evaluateIndex(d, new Map(Object.entries(sizes))))
      const data: HostArray = new arrayOf[type.dtype](shape.reduce((a, b) => a * b, 1))
      const { below = 9, special = false } = filling[name] ?? {}
      let state = seed * 7919 + 12_345
      for (let i = 0; i < data.length; i++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        const whole = (state >>> 12) % below
        if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(whole)
        else if (type.dtype === 'bool') data[i] = whole & 1
        else if (!type.dtype.startsWith('f')) data[i] = whole
        else if (special && whole % 5 === 3) data[i] = [NaN, -0, 0, Infinity, -Infinity][(state >>> 7) % 5] ?? 0
        else data[i] = (whole - (below >> 1)) / 4
      }
      return [name, { dtype: type.dtype, shape, data }]
    }),
  )

const device = await nullDevice()
export const software = await softwareGpu()

interface Runner {
  run(inputs: object): Promise<Record<string, { readonly data: HostArray }>>
  dispose(): Promise<void>
}

const onWasm = async (graph: Graph): Promise<Runner> => {
  const { manifest, files } = await compile(single(graph), 'wasm', {})
  const assets = Object.fromEntries(Object.entries(files).map(([k, v]) => [k, () => Promise.resolve(v)]))
  const artifacts = [{ manifest: manifest as Manifest, assets }]
  const model = createModel({ name: 'g', kind: 'model', artifacts })
  return (await model.load({ device: 'wasm', thread: 'caller' })) as unknown as Runner
}

export interface Everywhere {
  readonly sizes?: readonly Sizes[]
  readonly filling?: Readonly<Record<string, Filling>>
  /** Of the largest value; 0 where nothing is rounded. */
  readonly tolerance?: number
  /** Whether WGSL can hold it. Default true. */
  readonly webgpu?: boolean
}

const expectSame = (
  got: Readonly<Record<string, ArrayLike<number | bigint> | undefined>>,
  want: Readonly<Record<string, HostTensor>>,
  tolerance: number,
  where: () => string,
): void => {
  for (const [name, { data }] of Object.entries(want)) {
    const found = got[name]
    expect(found?.length, where()).toBe(data.length)
    const numbers = Array.from(data, Number)
    const largest = numbers.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), 1)
    numbers.forEach((b, i) => {
      const a = Number(found?.[i])
      if (a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= tolerance * largest) return
      expect.fail(`${name}[${i}] is ${a}, not ${b}\n${where()}`)
    })
  }
}

/** @returns the kernels for one thread, for a team and for a grid, as text */
export const expectEverywhere = async (
  graph: Graph,
  { sizes = [{}], filling = {}, tolerance = 0, webgpu = true }: Everywhere = {},
): Promise<{ readonly wasm: string; readonly team: string; readonly webgpu: string }> => {
  const programs = {
    wasm: lowered(graph, wasmTarget()),
    team: lowered(graph, wasmTarget({ threads: 4 })),
    ...(webgpu && { webgpu: lowered(graph, webgpuTarget()) }),
  }
  const cases = sizes.map(size => {
    const inputs = inputsOf(graph, size, filling)
    return { size, inputs, want: interpretGraphSync(graph, inputs) }
  })
  for (const [target, program] of Object.entries(programs))
    for (const { size, inputs, want } of cases)
      for (const p of [program, legal(program)]) {
        const where = (): string => `loops for ${target} at ${JSON.stringify(size)}\n${textOf(p)}`
        const { outputs, status } = interpretPlan(p, 'main', inputs)
        expect(status, where()).toBeUndefined()
        expectSame(Object.fromEntries(Object.entries(outputs).map(([k, t]) => [k, t.data])), want, tolerance, where)
      }
  const wasm = await onWasm(graph)
  try {
    for (const { size, inputs, want } of cases) {
      const found = await wasm.run(
        Object.fromEntries(Object.entries(inputs).map(([k, { data, shape }]) => [k, { data, shape }])),
      )
      const data = Object.fromEntries(Object.entries(found).map(([k, t]) => [k, t.data]))
      expectSame(data, want, tolerance, () => `wasm at ${JSON.stringify(size)}\n${textOf(programs.wasm)}`)
    }
  } finally {
    await wasm.dispose()
  }
  if (programs.webgpu !== undefined) {
    const ready = legal(programs.webgpu)
    for (const kernel of ready.kernels.values()) {
      const { shader } = emitKernel(kernel, { f16: false, limits: defaultLimits, index: 0 })
      expect(await validate(device, shader), shader.code).toEqual([])
    }
    if (software !== undefined) {
      const loaded: Loaded = await loadProgram(software.device, ready)
      try {
        for (const { size, inputs, want } of cases) {
          const arrays = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, t.data]))
          const found = await loaded.run(arrays, { ...size })
          expectSame(found, want, tolerance, () => `WGSL at ${JSON.stringify(size)}\n${textOf(ready)}\n${loaded.code}`)
        }
      } finally {
        await loaded.executor.dispose(Promise.resolve())
      }
    }
  }
  const { wasm: alone, team, webgpu: grid } = programs
  return { wasm: textOf(alone), team: textOf(team), webgpu: grid === undefined ? '' : textOf(grid) }
}
