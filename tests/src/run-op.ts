/** @file Runs one op on a target, compiled and loaded as an app would have it, and holds it against its reference. */
import { type DeviceKind, type HostArray, isQuernError } from '@quern/artifact'
import { compile } from '@quern/compiler'
import type { Attrs, Graph, HostTensor } from '@quern/core-ir'
import { createModel } from '@quern/runtime'
import { expect } from 'vitest'
import type { Case } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { numbersOf, oneNode } from '../../packages/core-ir/src/ops/testing/support.ts'

interface Runner {
  run(inputs: object): Promise<Record<string, { dtype: string; shape: readonly number[]; data: HostArray }>>
  report(): { readonly device: DeviceKind; readonly dispatches: number }
  dispose(): Promise<void>
}

const runOn = async (device: DeviceKind, graph: Graph, operands: Case['operands']): Promise<HostTensor[]> => {
  const program = { name: 'one', entries: new Map([['main', graph]]), states: [], sources: new Map() }
  const { manifest, files } = await compile(program, device, {})
  const assets = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, () => Promise.resolve(bytes)]))
  const model = createModel({
    name: 'one',
    kind: 'model',
    artifacts: [{ manifest, assets }],
    webgpu: () => import('@quern/runtime/webgpu'),
  })
  const loaded = (await model.load({ device, thread: 'caller' })) as unknown as Runner
  try {
    const inputs = operands.flatMap((t, i) =>
      t === undefined ? [] : [[`in${i}`, { data: t.data, shape: t.shape }] as const],
    )
    const outputs = await loaded.run(Object.fromEntries(inputs))
    expect(loaded.report().device).toBe(device)
    return graph.outputs.map(o => outputs[o.name] as HostTensor)
  } finally {
    await loaded.dispose()
  }
}

/** Over symbolic dims where asked for and where constraints let symbols through. */
const graphOf = (op: string, { operands, attrs = {} }: Case, symbolic: boolean): Graph => {
  try {
    if (symbolic) return oneNode(op, operands, attrs, 'symbolic')
  } catch (error) {
    if (!isQuernError(error)) throw error
  }
  return oneNode(op, operands, attrs)
}

/** What rounding in each step, in another order, may cost. */
const tolerance: Record<string, number> = { f16: 1e-2, f32: 1e-4, f64: 1e-6 }
const close = (dtype: string, found: number, wanted: number): boolean =>
  Object.is(found, wanted) ||
  found === wanted ||
  Math.abs(found - wanted) <= (tolerance[dtype] ?? 0) * (1 + Math.abs(wanted))

const describeCase = (op: string, { operands, attrs = {} }: { operands: Case['operands']; attrs?: Attrs }): string =>
  `${op} ${JSON.stringify(attrs)} of ${operands.map(o => `${o?.dtype}[${o?.shape.join()}]`).join(' ')}`

export const expectReference = async (
  device: DeviceKind,
  op: string,
  drawn: Case,
  symbolic: boolean,
): Promise<void> => {
  const { expected } = drawn
  const wanted = (Array.isArray(expected) ? expected : [expected]) as HostTensor[]
  const found = await runOn(device, graphOf(op, drawn, symbolic), drawn.operands)
  expect(found.length).toBe(wanted.length)
  found.forEach((t, i) => {
    const other = wanted[i]
    expect(t.dtype).toBe(other?.dtype)
    expect([...t.shape]).toEqual(other?.shape)
    const numbers = other === undefined ? [] : numbersOf(other)
    const wrong = numbersOf(t).findIndex((v, at) => !close(t.dtype, v, numbers[at] ?? NaN))
    if (wrong >= 0)
      expect.fail(`${describeCase(op, drawn)} gives ${numbersOf(t)[wrong]} at ${wrong}, not ${numbers[wrong]}`)
  })
}
