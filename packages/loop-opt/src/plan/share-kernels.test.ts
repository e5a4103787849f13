/** @file Steps that do the same share a kernel; those that only look alike do not. */
import { GraphBuilder, interpretPlan, tensorType } from '@quern/core-ir'
import { expect, it } from 'vitest'
import { lowerProgram } from '../lower-program.ts'
import { wasmTarget } from '../target/wasm.ts'
import { difference, programOf, random, randomInputs } from '../testing/graphs.ts'

it('gives layers that repeat one kernel, whatever their tensors are called', () => {
  const b = new GraphBuilder('layers')
  let x = b.input('x', tensorType('f32', [4, 8]))
  for (const name of ['first', 'second', 'third'])
    x = b.one('matmul', [x, b.input(name, tensorType('f32', [8, 8]))], {}, `${name}_out`)
  x = b.one('sub', [b.one('exp', [x]), x])
  x = b.one('sub', [x, b.one('exp', [x])])
  const graph = b.finish({ x })
  const lowered = lowerProgram(programOf(graph), wasmTarget())
  const [plan] = lowered.plans
  const names = plan?.steps.flatMap(s => (s.kind === 'kernel' ? [s.kernel] : [])) ?? []
  expect(names.length).toBe(7)
  expect(new Set(names).size).toBe(3)
  expect(lowered.kernels.size).toBe(3)
  expect(difference(graph, lowered, randomInputs(graph, new Map(), random(5)))).toBeUndefined()
})

it('keeps kernels apart that differ in the order of their operands or in a number', () => {
  const b = new GraphBuilder('apart')
  const x = b.input('x', tensorType('f32', [4])),
    y = b.input('y', tensorType('f32', [4]))
  const half = b.one('constant', [], {
    data: { kind: 'inline', values: [0.5, 0.5, 0.5, 0.5] },
    dtype: 'f32',
    shape: [4],
  })
  const graph = b.finish({ a: b.one('mul', [x, half]), b: b.one('mul', [y, x]), c: b.one('mul', [x, x]) })
  const lowered = lowerProgram(programOf(graph), wasmTarget())
  expect(lowered.kernels.size).toBe(3)
  const inputs = randomInputs(graph, new Map(), random(2))
  expect(difference(graph, lowered, inputs)).toBeUndefined()
  expect(interpretPlan(lowered, 'main', inputs).status).toBeUndefined()
})
