/** @file Attention on a team of workers in Node, on the built packages: blocks of rows and heads are shared out. */
import { type HostTensor, GraphBuilder, interpretGraphSync, ix, tensorType } from '@quern/core-ir'
import { expect, it } from 'vitest'
import { runGraph } from './run-graph.ts'

const random = (shape: readonly number[], seed: number): HostTensor => {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7 + seed))
  return { dtype: 'f32', shape, data }
}

it.each([
  ['several heads', [5]],
  ['one head', []],
])('%s, at several sizes', async (_, heads) => {
  const b = new GraphBuilder('g')
  for (const name of ['n', 'm']) b.declare({ name, min: 1, max: 600, multipleOf: 1 })
  const [n, m] = ['n', 'm'].map(ix.variable) as [ReturnType<typeof ix.variable>, ReturnType<typeof ix.variable>]
  const q = b.input('q', tensorType('f32', [...heads, n, 32]))
  const k = b.input('k', tensorType('f32', [...heads, m, 32]))
  const v = b.input('v', tensorType('f32', [...heads, m, 32]))
  const weights = b.one('softmax', [b.one('matmul', [q, k], { transposeRhs: true })])
  const graph = b.finish({ y: b.one('matmul', [weights, v]) })
  const inputs = [
    [1, 9],
    [200, 77],
    [131, 600],
  ].map(([rows = 1, columns = 1]) => ({
    q: random([...heads, rows, 32], 1),
    k: random([...heads, columns, 32], 2),
    v: random([...heads, columns, 32], 3),
  }))
  const found = await runGraph('wasm', graph, inputs, 2)
  inputs.forEach((given, i) => {
    const want = Array.from(interpretGraphSync(graph, given)['y']?.data ?? [], Number)
    const worst = want.reduce((most, x, at) => Math.max(most, Math.abs(Number(found[i]?.['y']?.data[at]) - x)), 0)
    expect(worst).toBeLessThan(2e-6)
  })
})
