import { interpretGraphSync, printGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import * as q from '../index.ts'

test('the mean over a symbolic dim counts exactly, by the dim itself', () => {
  const x = { x: q.tensor('f32', [q.dim('n'), 3]) }
  const { graph } = q.programOf(q.model(x, ({ x }) => ({ all: q.mean(x), rows: q.mean(x, { axes: [0] }) })))
  const main = graph.entries.get('main')!
  expect(printGraph(main)).toContain('dim-value(value=3*n, dtype=f32)')
  const data = Float32Array.of(1, 2, 3, 5, 6, 10)
  const { all, rows } = interpretGraphSync(main, { x: { dtype: 'f32', shape: [2, 3], data } })
  expect(all?.data).toEqual(Float32Array.of(4.5))
  expect(rows?.data).toEqual(Float32Array.of(3, 4, 6.5))
})
