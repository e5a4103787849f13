import { type Graph, interpretGraphSync, printGraph, verifyGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import * as q from './index.ts'
import { applyAll } from './tensor.ts'

const coded = (code: string): unknown => expect.objectContaining({ code })
const mainOf = (built: object): Graph => {
  const main = q.programOf(built).graph.entries.get('main')
  if (main === undefined) throw new Error('no main entry')
  verifyGraph(main)
  return main
}
const found = (x: q.Tensor): q.Tensor<'i32'> => {
  const [rows] = applyAll('nonzero', [x], { dtype: 'i32' })
  return rows as q.Tensor<'i32'>
}
const f32 = (...values: number[]) => ({
  dtype: 'f32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
})

test('one dim name is one declaration, in a model and in a program', () => {
  const twice = (a: q.Size, b: q.Size) => () =>
    q.model({ a: q.tensor('f32', [a as number]), b: q.tensor('f32', [b as number]) }, ({ a, b }) => ({ a, b }))
  expect(twice(q.dim('n', { max: 8 }), q.dim('n', { max: 8 }))).not.toThrow()
  expect(twice(q.dim('n', { max: 8 }), q.dim('m', { max: 9 }))).not.toThrow()
  expect(twice(q.dim('n', { max: 8 }), q.dim('n', { max: 9 }))).toThrow(coded('dim/declared-twice'))
  expect(twice(q.dim('n', { multipleOf: 2 }), q.dim('n'))).toThrow(
    'the dim n goes from 1 to any, a multiple of 2 in a, and from 1 to any in b',
  )
  const one = (max: number) => q.entry({ x: q.tensor('f32', [q.dim('n', { max })]) }, ({ x }) => ({ x }))
  expect(() => q.program({ a: one(4), b: one(4) })).not.toThrow()
  expect(() => q.program({ a: one(4), b: one(5) })).toThrow(coded('dim/declared-twice'))
})

test('two ops that count at run time have two symbols, whatever else was traced', () => {
  const build = () =>
    mainOf(
      q.model({ x: q.tensor('f32', [q.dim('n', { max: 8 })]), y: q.tensor('f32', [4]) }, ({ x, y }) => ({
        a: found(x),
        b: found(y),
      })),
    )
  const graph = build()
  expect(graph.outputs.map(o => o.value.type.shape[0]?.key)).toEqual(['k', 'k_1'])
  expect(graph.symbols.get('k')?.upper?.key).toBe('n')
  expect(graph.symbols.get('k_1')?.upper?.key).toBe('4')
  // The text of a graph does not tell what was traced before it.
  const text = (g: Graph) => printGraph(g).replace(/\/\/.*/g, '')
  expect(text(build())).toBe(text(graph))
  const { a, b } = interpretGraphSync(graph, { x: f32(1, 0, 2, 3, 0), y: f32(0, 0, 0, 5) })
  expect([a?.shape, b?.shape]).toEqual([
    [3, 1],
    [1, 1],
  ])
  // Their counts are not known to be equal.
  expect(() =>
    q.model({ x: q.tensor('f32', [4]), y: q.tensor('f32', [4]) }, ({ x, y }) => ({ z: q.add(found(x), found(y)) })),
  ).toThrow(coded('add/shapes-broadcast'))
})

test('a symbol that an op defines keeps clear of the names of dims', () => {
  const graph = mainOf(q.model({ x: q.tensor('f32', [q.dim('k', { max: 8 })]) }, ({ x }) => ({ rows: found(x), x })))
  expect([...graph.symbols.keys()]).toEqual(['k', 'k_1'])
  expect(interpretGraphSync(graph, { x: f32(0, 7, 0) })['rows']?.data).toEqual(Int32Array.of(1))
})

test('a body may capture what was counted outside', () => {
  const graph = mainOf(
    q.model({ x: q.tensor('f32', [4]), w: q.tensor('i32', []) }, ({ x, w }) => {
      const rows = found(x)
      return q.cond(
        q.greater(q.sum(x), 0),
        () => ({ y: q.sum(rows) }),
        () => ({ y: w }),
      )
    }),
  )
  const w = { dtype: 'i32' as const, shape: [], data: Int32Array.of(-1) }
  expect(interpretGraphSync(graph, { x: f32(1, 0, 2, 3), w })['y']?.data).toEqual(Int32Array.of(5))
  expect(interpretGraphSync(graph, { x: f32(-1, 0, 0, 0), w })['y']?.data).toEqual(Int32Array.of(-1))
})
