import { interpretGraphSync, verifyGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import * as nn from '../index.ts'

const run = (built: object, inputs: Parameters<typeof interpretGraphSync>[1]) => {
  const { graph: program } = nn.programOf(built)
  const graph = program.entries.values().next().value
  if (graph === undefined) throw new Error('no entry')
  verifyGraph(graph)
  return interpretGraphSync(graph, inputs)
}
const f32 = (...values: number[]) => ({
  dtype: 'f32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
})

test('cond runs one of two branches, which may use tensors from outside', () => {
  const built = nn.model({ x: nn.tensor('f32', [2]), w: nn.tensor('f32', [2]) }, ({ x, w }) => {
    const positive = nn.greater(nn.sum(x), 0)
    return nn.cond(
      positive,
      () => ({ y: nn.mul(x, w) }),
      () => ({ y: nn.neg(x) }),
    )
  })
  expect(run(built, { x: f32(1, 2), w: f32(3, 4) })['y']?.data).toEqual(Float32Array.of(3, 8))
  expect(run(built, { x: f32(-1, -2), w: f32(3, 4) })['y']?.data).toEqual(Float32Array.of(1, 2))
})

test('loop runs to its limit, or while its body says so', () => {
  const built = nn.model({ x: nn.tensor('f32', [1]), w: nn.tensor('f32', [1]) }, ({ x, w }) => {
    const fixed = nn.loop({ x }, 3, ({ x }) => ({ x: nn.mul(x, w) }))
    const counted = nn.loop({ x }, 100, ({ x }) => {
      const next = nn.mul(x, w)
      return { x: next, while: nn.less(nn.sum(next), 100) }
    })
    return { fixed: fixed.x, counted: counted.x }
  })
  const { fixed, counted } = run(built, { x: f32(1), w: f32(2) })
  expect(fixed?.data).toEqual(Float32Array.of(8))
  expect(counted?.data).toEqual(Float32Array.of(128))
})

test('results of branches and rounds meet by name, not by order', () => {
  const inputs = { x: nn.tensor('f32', [1]), w: nn.tensor('f32', [1]) }
  const built = nn.model(inputs, ({ x, w }) => {
    const { a, b } = nn.cond(
      nn.greater(nn.sum(x), 0),
      () => ({ a: x, b: w }),
      () => ({ b: w, a: nn.neg(x) }),
    )
    const { p, q } = nn.loop({ p: x, q: w }, 1, ({ p, q }) => ({ q, p: nn.mul(p, q) }))
    return { a, b, p, q }
  })
  const results = run(built, { x: f32(-2), w: f32(3) })
  expect(Object.values(results).map(t => t.data[0])).toEqual([2, 3, -6, 3])
  const other = (): { y: nn.Tensor } => ({ z: nn.zeros([1]) }) as object as { y: nn.Tensor }
  expect(() => nn.cond(nn.constant(1, 'bool', []), () => ({ y: nn.zeros([1]) as nn.Tensor }), other)).toThrow(
    'cond/same-names',
  )
  expect(() => nn.loop({ y: nn.zeros([1]) as nn.Tensor }, 1, other)).toThrow('loop/same-names')
})
