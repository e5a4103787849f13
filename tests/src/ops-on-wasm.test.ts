/** @file Every op, compiled to wasm and run by the runtime on random shapes, against its independent reference. */
import { type HostArray, isQuernError } from '@quern/artifact'
import { compile } from '@quern/compiler'
import type { Attrs, Graph, HostTensor } from '@quern/core-ir'
import { createModel } from '@quern/runtime'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Case, Draw, randomCases } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { numbersOf, oneNode } from '../../packages/core-ir/src/ops/testing/support.ts'

interface Runner {
  run(inputs: object): Promise<Record<string, { dtype: string; shape: readonly number[]; data: HostArray }>>
  dispose(): Promise<void>
}

const runOnWasm = async (graph: Graph, operands: Case['operands']): Promise<HostTensor[]> => {
  const program = { name: 'one', entries: new Map([['main', graph]]), states: [], sources: new Map() }
  const { manifest, files } = await compile(program, 'wasm', {})
  const assets = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, () => Promise.resolve(bytes)]))
  const model = createModel({ name: 'one', kind: 'model', artifacts: [{ manifest, assets }] })
  const loaded = (await model.load({ device: 'wasm', thread: 'caller' })) as unknown as Runner
  try {
    const inputs = operands.flatMap((t, i) =>
      t === undefined ? [] : [[`in${i}`, { data: t.data, shape: t.shape }] as const],
    )
    const outputs = await loaded.run(Object.fromEntries(inputs))
    return graph.outputs.map(o => outputs[o.name] as HostTensor)
  } finally {
    await loaded.dispose()
  }
}

/** What rounding in each step, in another order, may cost. */
const tolerance: Record<string, number> = { f16: 1e-2, f32: 1e-4, f64: 1e-6 }
const close = (dtype: string, found: number, wanted: number): boolean =>
  Object.is(found, wanted) ||
  found === wanted ||
  Math.abs(found - wanted) <= (tolerance[dtype] ?? 0) * (1 + Math.abs(wanted))

/** Over symbolic dims where asked for and where constraints let symbols through. */
const graphOf = (op: string, operands: Case['operands'], attrs: Attrs, symbolic: boolean): Graph => {
  try {
    if (symbolic) return oneNode(op, operands, attrs, 'symbolic')
  } catch (error) {
    if (!isQuernError(error)) throw error
  }
  return oneNode(op, operands, attrs)
}

describe.each(Object.entries(randomCases))('%s', (op, draw) => {
  it('gives on wasm what its reference says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async gen => {
        const d = new Draw(gen)
        const { operands, attrs = {}, expected } = draw(d)
        const wanted = (Array.isArray(expected) ? expected : [expected]) as HostTensor[]
        const found = await runOnWasm(graphOf(op, operands, attrs, d.flag()), operands)
        expect(found.length).toBe(wanted.length)
        found.forEach((t, i) => {
          const other = wanted[i]
          expect(t.dtype).toBe(other?.dtype)
          expect([...t.shape]).toEqual(other?.shape)
          const numbers = other === undefined ? [] : numbersOf(other)
          const wrong = numbersOf(t).findIndex((v, at) => !close(t.dtype, v, numbers[at] ?? NaN))
          if (wrong >= 0)
            expect.fail(
              `${op} ${JSON.stringify(attrs)} of ${operands.map(o => `${o?.dtype}[${o?.shape}]`).join(' ')} gives ${numbersOf(t)[wrong]} at ${wrong}, not ${numbers[wrong]}`,
            )
        })
      }),
      { numRuns: 4 },
    )
  })
})
