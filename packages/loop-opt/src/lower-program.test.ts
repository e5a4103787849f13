/** @file Lowered programs against values computed by hand. */
import {
  type Graph,
  GraphBuilder,
  type HostTensor,
  type ProgramGraph,
  interpretPlan,
  ix,
  tensorType,
} from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from './lower-program.ts'
import { wasmTarget } from './target/wasm.ts'

const programOf = (graph: Graph): ProgramGraph => ({
  name: graph.name,
  entries: new Map([['main', graph]]),
  states: [],
  sources: new Map(),
})
const f32 = (shape: number[], data: readonly number[]): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(data),
})
const ramp = (shape: number[], scale = 1): HostTensor =>
  f32(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7) % 11) * scale - 3),
  )

describe('lowerProgram', () => {
  it('lowers a matrix product with its epilogue', () => {
    const b = new GraphBuilder('m')
    const x = b.input('x', tensorType('f32', [3, 4])),
      w = b.input('w', tensorType('f32', [4, 2]))
    const y = b.one('relu', [b.one('matmul', [x, w])])
    const lowered = lowerProgram(programOf(b.finish({ y })), wasmTarget())
    const inputs = { x: ramp([3, 4]), w: ramp([4, 2], 0.5) }
    const { outputs } = interpretPlan(lowered, 'main', inputs)
    const expected = [0, 1, 2].flatMap(i =>
      [0, 1].map(j =>
        Math.max(
          0,
          [0, 1, 2, 3].reduce((s, k) => s + Number(inputs.x.data[i * 4 + k]) * Number(inputs.w.data[k * 2 + j]), 0),
        ),
      ),
    )
    expect([...(outputs['y']?.data ?? [])].map(Number)).toEqual(expected)
  })
  it('softmax region', () => {
    const b = new GraphBuilder('m')
    b.declare({ name: 'n', min: 1, max: 100, multipleOf: 1 })
    const x = b.input('x', tensorType('f32', [ix.variable('n'), 5]))
    const y = b.one('softmax', [x])
    const lowered = lowerProgram(programOf(b.finish({ y })), wasmTarget())
    const inputs = { x: ramp([3, 5]) }
    const { outputs } = interpretPlan(lowered, 'main', inputs)
    expect(
      [...(outputs['y']?.data ?? [])]
        .slice(0, 5)
        .map(Number)
        .reduce((a, b) => a + b),
    ).toBeCloseTo(1)
  })
})
