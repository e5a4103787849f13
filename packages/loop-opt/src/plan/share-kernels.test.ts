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

it('keeps kernels apart that differ in a reducer or a truth value, though their outputs are called like them', () => {
  const b = new GraphBuilder('reducers')
  const x = b.input('x', tensorType('bool', [4])),
    rows = b.input('rows', tensorType('f32', [2, 3])),
    more = b.input('more', tensorType('f32', [1, 3]))
  const at = b.one('constant', [], { data: { kind: 'inline', values: [0] }, dtype: 'i32', shape: [1] })
  const bool = (name: string, value: number) =>
    b.one('constant', [], { data: { kind: 'inline', values: [value] }, dtype: 'bool', shape: [] }, name)
  const outputs = {
    any: b.one('reduce-any', [x], { axes: [0] }, 'any'),
    all: b.one('reduce-all', [x], { axes: [0] }, 'all'),
    true: b.one('broadcast', [bool('true', 1)], { shape: [4] }, 'true'),
    false: b.one('broadcast', [bool('false', 0)], { shape: [4] }, 'false'),
    ...Object.fromEntries(
      (['sum', 'min', 'max', 'prod'] as const).flatMap(name => [
        [name, b.one(`reduce-${name}`, [rows], { axes: [1] }, name)],
        [
          `at_${name}`,
          b.one(
            'scatter-rows',
            [rows, at, more],
            { reduction: name === 'sum' ? 'add' : name === 'prod' ? 'mul' : name },
            name,
          ),
        ],
      ]),
    ),
  }
  const graph = b.finish(outputs)
  const lowered = lowerProgram(programOf(graph), wasmTarget())
  for (const seed of [1, 2, 3])
    expect(difference(graph, lowered, randomInputs(graph, new Map(), random(seed)))).toBeUndefined()
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
