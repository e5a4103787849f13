/** @file Compiles a graph for a target, loads it as an app would have it, and runs it on as many inputs as there are. */
import type { DeviceKind, HostArray } from '@quern/artifact'
import { type CompileOptions, compile } from '@quern/compiler'
import { type Graph, type HostTensor, isFloat } from '@quern/core-ir'
import { createModel } from '@quern/runtime'
import { expect } from 'vitest'
import { numbersOf } from '../../packages/core-ir/src/ops/testing/support.ts'

export type Tensors = Readonly<Record<string, HostTensor>>

interface Runner {
  run(inputs: object): Promise<Record<string, { dtype: string; shape: readonly number[]; data: HostArray }>>
  report(): { readonly device: DeviceKind; readonly threads: number }
  dispose(): Promise<void>
}

/** Outputs by name, for each inputs. On wasm with `threads` > 1 a team of workers runs it. */
export const runGraph = async (
  device: DeviceKind,
  graph: Graph,
  inputs: readonly Tensors[],
  threads = 1,
  options: CompileOptions = {},
): Promise<Tensors[]> => {
  const program = { name: 'one', entries: new Map([['main', graph]]), states: [], sources: new Map() }
  const { manifest, files } = await compile(program, device, { ...options, threads: threads > 1 })
  const assets = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, () => Promise.resolve(bytes)]))
  const model = createModel({
    name: 'one',
    kind: 'model',
    artifacts: [{ manifest, assets }],
    webgpu: () => import('@quern/runtime/webgpu'),
  })
  const thread = threads > 1 ? ('worker' as const) : ('caller' as const)
  const loaded = (await model.load({ device, thread, threads })) as unknown as Runner
  try {
    const outputs: Tensors[] = []
    for (const given of inputs) {
      const bare = Object.entries(given).map(([name, { data, shape }]) => [name, { data, shape }])
      outputs.push((await loaded.run(Object.fromEntries(bare))) as Tensors)
    }
    expect(loaded.report().device).toBe(device)
    if (threads > 1) expect(loaded.report().threads).toBe(threads)
    return outputs
  } finally {
    await loaded.dispose()
  }
}

/** What rounding in each step, in another order, may cost. */
const tolerance: Readonly<Record<string, number>> = { f16: 1e-2, f32: 1e-4, f64: 1e-6 }

/** The first difference, in words. Rounding is measured against `scale`, where given, and the value itself. */
export const differenceOf = (
  name: string,
  found: HostTensor | undefined,
  wanted: HostTensor,
  scale = 1,
): string | undefined => {
  if (found === undefined) return `there is no ${name}`
  const typeOf = ({ dtype, shape }: HostTensor): string => `${dtype}[${shape.join()}]`
  if (typeOf(found) !== typeOf(wanted)) return `${name} is ${typeOf(found)}, not ${typeOf(wanted)}`
  // 64-bit integers as they are: as numbers they would lose their last digits.
  const valuesOf = (t: HostTensor): readonly (number | bigint)[] => (isFloat(t.dtype) ? numbersOf(t) : [...t.data])
  const near = tolerance[wanted.dtype] ?? 0
  const numbers = valuesOf(wanted)
  const wrong = valuesOf(found).findIndex((value, at) => {
    const other = numbers[at]
    if (Object.is(value, other) || value === other) return false
    if (typeof value !== 'number' || typeof other !== 'number' || !Number.isFinite(other)) return true
    return !(Math.abs(value - other) <= near * (scale + Math.abs(other)))
  })
  return wrong < 0 ? undefined : `${name} is ${valuesOf(found)[wrong]} at ${wrong}, not ${numbers[wrong]}`
}
