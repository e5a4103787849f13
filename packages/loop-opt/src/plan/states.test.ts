/** @file States: read and updated in place where legal, through a copy elsewhere. */
import {
  GraphBuilder,
  type HostTensor,
  type ProgramGraph,
  interpretPlan,
  ix,
  printKernel,
  tensorType,
  type Value,
  type Graph,
} from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { legalise } from '../legalise/legalise.ts'
import { lowerProgram } from '../lower-program.ts'
import { wasmTarget } from '../target/wasm.ts'
import { webgpuTarget } from '../target/webgpu.ts'
import { legalised } from '../testing/graphs.ts'

const f32 = (shape: number[], data: number[]): HostTensor => ({ dtype: 'f32', shape, data: Float32Array.from(data) })
const i32 = (value: number): HostTensor => ({ dtype: 'i32', shape: [], data: Int32Array.of(value) })

const program = (
  name: string,
  type: Value['type'],
  make: (b: GraphBuilder, state: Value) => Record<string, Value>,
): ProgramGraph => {
  const b = new GraphBuilder(name)
  b.declare({ name: 'n', min: 1, max: 8, multipleOf: 1 })
  const state = b.input('state:s', type)
  const graph: Graph = b.finish(make(b, state))
  return {
    name,
    entries: new Map([['main', graph]]),
    states: [{ name: 's', type, init: undefined }],
    sources: new Map(),
  }
}

const cache = program('cache', tensorType('f32', [8, 2]), (b, s) => {
  const rows = b.input('rows', tensorType('f32', [ix.variable('n'), 2])),
    at = b.input('at', tensorType('i32', []))
  const next = b.one('append', [s, rows, at])
  return { 'state:s': next, sum: b.one('reduce-sum', [next], { axes: [0] }) }
})

describe.each([
  ['wasm', wasmTarget()],
  ['webgpu', webgpuTarget()],
] as const)('states on %s', (_, target) => {
  it('appends in place, and writes the new rows only', () => {
    const lowered = legalised(lowerProgram(cache, target))
    const [plan] = lowered.plans
    expect(plan?.steps.map(s => s.kind)).toEqual(['kernel', 'kernel'])
    const kernel = lowered.kernels.get('append')
    expect(kernel?.params.map(p => `${p.access} ${p.name}`).sort()).toEqual(['read at', 'read rows', 'write append'])
    let s = f32(
      [8, 2],
      Array.from({ length: 16 }, (_, i) => i),
    )
    const expected = [...s.data].map(Number)
    for (const [at, n] of [
      [0, 2],
      [5, 3],
      [6, 4],
    ] as const) {
      const rows = Array.from({ length: n * 2 }, (_, i) => 100 * at + i)
      rows.forEach((v, i) => {
        if (at * 2 + i < 16) expected[at * 2 + i] = v
      })
      const result = interpretPlan(lowered, 'main', { rows: f32([n, 2], rows), at: i32(at) }, { states: { s } })
      s = result.states['s'] as HostTensor
      expect([...s.data].map(Number)).toEqual(expected)
      expect([...(result.outputs['sum']?.data ?? [])].map(Number)).toEqual(
        [0, 1].map(c => expected.filter((_, i) => i % 2 === c).reduce((a, b) => a + b)),
      )
    }
  })

  it('copies where the old value is still wanted', () => {
    const p = program('late', tensorType('f32', [4]), (b, s) => {
      const next = b.one('add', [s, b.input('x', tensorType('f32', [4]))])
      return { 'state:s': next, late: b.one('mul', [b.one('exp', [next]), s]) }
    })
    const lowered = legalised(lowerProgram(p, target))
    const { outputs, states } = interpretPlan(
      lowered,
      'main',
      { x: f32([4], [1, 0, -1, 2]) },
      { states: { s: f32([4], [1, 2, 3, 0]) } },
    )
    expect([...(states['s']?.data ?? [])].map(Number)).toEqual([2, 2, 2, 2])
    expect(Number(outputs['late']?.data[0])).toBeCloseTo(Math.exp(2))
  })

  it('swaps with an output that reads the old value', () => {
    const p = program('swap', tensorType('f32', [2]), (b, s) => ({
      'state:s': b.input('x', tensorType('f32', [2])),
      old: s,
    }))
    const { outputs, states } = interpretPlan(
      legalised(lowerProgram(p, target)),
      'main',
      { x: f32([2], [7, 8]) },
      { states: { s: f32([2], [1, 2]) } },
    )
    expect([...(states['s']?.data ?? [])]).toEqual([7, 8])
    expect([...(outputs['old']?.data ?? [])]).toEqual([1, 2])
  })
})

it('prints the append as a loop over the new rows', () => {
  const kernel = lowerProgram(cache, wasmTarget()).unscheduled.get('append')?.region.kernel
  expect(kernel && printKernel(legalise(kernel))).toMatchInlineSnapshot(`
    "kernel append<n: 1..8>(
      read rows: f32[n,2],
      read at: i32[],
      write append: f32[8,2],
    ) {
      for append_i0 < n {
        if and(i32[append_i0 + value(at[])] >= 0, i32[append_i0 + value(at[])] < 8) {
          for append_i1 < 2 {
            store append[append_i0 + value(at[]), append_i1] = rows[append_i0, append_i1]
          }
        }
      }
    }"
  `)
})
