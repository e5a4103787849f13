import { type HostTensor, interpretGraphSync, verifyGraph } from '@quern/core-ir'
import { expect, expectTypeOf, test } from 'vitest'
import * as q from '../index.ts'

const coded = (code: string): unknown => expect.objectContaining({ code })
const run = (built: object, inputs: Readonly<Record<string, HostTensor>>) => {
  const main = q.programOf(built).graph.entries.get('main')
  if (main === undefined) throw new Error('no main entry')
  verifyGraph(main)
  const results = interpretGraphSync(main, inputs)
  return Object.fromEntries(Object.entries(results).map(([k, t]) => [k, { shape: t.shape, data: [...t.data] }]))
}
const f32 = (shape: readonly number[], ...values: number[]): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(values),
})
const i32 = (shape: readonly number[], ...values: number[]): HostTensor => ({
  dtype: 'i32',
  shape,
  data: Int32Array.from(values),
})

test('gatherElements, scatter and scatterRows', () => {
  const built = q.model(
    { x: q.tensor('f32', [2, 3]), i: q.tensor('i32', [2, 2]), r: q.tensor('i32', [2]) },
    ({ x, i, r }) => {
      const taken = q.gatherElements(x, i, 1)
      expectTypeOf(taken).toEqualTypeOf<q.Tensor<'f32', readonly [2, 2]>>()
      const put = q.scatter(x, i, taken, { axis: -1, reduction: 'add' })
      expectTypeOf(put).toEqualTypeOf<q.Tensor<'f32', readonly [2, 3]>>()
      return { taken, put, rows: q.scatterRows(x, r, q.neg(q.gather(x, r))) }
    },
  )
  const x = f32([2, 3], 1, 2, 3, 4, 5, 6)
  expect(run(built, { x, i: i32([2, 2], 0, 0, -1, 1), r: i32([2], 1, 1) })).toEqual({
    taken: { shape: [2, 2], data: [1, 1, 6, 5] },
    put: { shape: [2, 3], data: [3, 2, 3, 4, 10, 12] },
    rows: { shape: [2, 3], data: [1, 2, 3, -4, -5, -6] },
  })
  expect(() => q.gatherElements(q.zeros([2, 3]), q.zeros([3, 2], 'i32'), 1)).toThrow(
    coded('gather-elements/dims-agree'),
  )
  expect(() => q.scatter(q.zeros([2]), q.zeros([2], 'i32'), q.zeros([2]), { axis: 1 })).toThrow(
    coded('scatter/axis-in-range'),
  )
  expect(() => q.scatterRows(q.zeros([4, 2]), q.zeros([3], 'i32'), q.zeros([3, 3]))).toThrow(
    coded('scatter-rows/updates-fit'),
  )
})

test('sort, argsort, argmin, nonzero', () => {
  const built = q.model({ x: q.tensor('f32', [4]) }, ({ x }) => {
    const { values, indices } = q.sort(x)
    expectTypeOf(values).toEqualTypeOf<q.Tensor<'f32', readonly [4]>>()
    expectTypeOf(indices).toEqualTypeOf<q.Tensor<'i32', readonly [4]>>()
    const there = q.nonzero(x)
    return {
      values,
      indices,
      down: q.argsort(x, { descending: true }),
      least: q.argmin(x),
      where: there.indices,
      count: there.count,
      taken: q.gather(x, q.reshape(there.indices, [-1])),
    }
  })
  expect(run(built, { x: f32([4], 3, 0, -1, 2) })).toEqual({
    values: { shape: [4], data: [-1, 0, 2, 3] },
    indices: { shape: [4], data: [2, 1, 3, 0] },
    down: { shape: [4], data: [0, 3, 1, 2] },
    least: { shape: [], data: [2] },
    where: { shape: [3, 1], data: [0, 2, 3] },
    count: { shape: [], data: [3] },
    taken: { shape: [3], data: [3, -1, 2] },
  })
})

test('what is made from a shape, also from one with dims', () => {
  const n = q.dim('n', { max: 9 })
  const built = q.model({ x: q.tensor('f32', [n, 2]) }, ({ x }) => {
    const rows = q.iota([n, 2])
    expectTypeOf(rows).toEqualTypeOf<q.Tensor<'i32', readonly [typeof n, 2]>>()
    expect(rows.shape).toEqual([n, 2])
    expectTypeOf(q.arange(3, 'f32')).toEqualTypeOf<q.Tensor<'f32', readonly [3]>>()
    expectTypeOf(q.full([2], 7, 'u8')).toEqualTypeOf<q.Tensor<'u8', readonly [2]>>()
    return {
      rows,
      columns: q.iota([n, 2], { axis: 1, dtype: 'f32' }),
      counted: q.arange(n),
      size: q.sizeOf(n, 'f32'),
      shifted: q.add(x, q.ones([n, 2])),
    }
  })
  expect(run(built, { x: f32([3, 2], 0, 1, 2, 3, 4, 5) })).toEqual({
    rows: { shape: [3, 2], data: [0, 0, 1, 1, 2, 2] },
    columns: { shape: [3, 2], data: [0, 1, 0, 1, 0, 1] },
    counted: { shape: [3], data: [0, 1, 2] },
    size: { shape: [], data: [3] },
    shifted: { shape: [3, 2], data: [1, 2, 3, 4, 5, 6] },
  })
  expect(() => q.iota([2], { dtype: 'bool' })).toThrow(coded('iota/dtype-is-number'))
  expect(() => q.iota([2], { axis: 1 })).toThrow(coded('iota/axis-in-range'))
  expect(() => q.full([2], 256, 'u8')).toThrow(coded('constant/value-fits'))
})

test('random numbers depend on key and stream alone', () => {
  const built = q.model({ key: q.tensor('u32', [2]), x: q.tensor('f32', [q.dim('n')]) }, ({ key, x }) => {
    const n = x.shape[0]
    expectTypeOf(q.random.bits(key, [2, 2])).toEqualTypeOf<q.Tensor<'u32', readonly [2, 2]>>()
    const u = q.random.uniform(key, [n, 50])
    return { u, same: q.equal(u, q.random.uniform(key, [n, 50])), z: q.random.normal(key, [n, 50], { stream: 1 }) }
  })
  const key = { dtype: 'u32' as const, shape: [2], data: Uint32Array.of(1, 2) }
  const { u, same, z } = run(built, { key, x: f32([4], 0, 0, 0, 0) })
  const mean = (xs: readonly (number | bigint)[] = []) => xs.reduce<number>((s, v) => s + Number(v), 0) / xs.length
  expect(u?.shape).toEqual([4, 50])
  expect(mean(u?.data)).toBeCloseTo(0.5, 1)
  expect(Math.abs(mean(z?.data))).toBeLessThan(0.25)
  expect(mean(z?.data.map(v => Number(v) ** 2))).toBeCloseTo(1, 0)
  expect(same?.data.every(v => v === 1)).toBe(true)
  expect(() => q.random.uniform(q.zeros([3], 'u32'), [2])).toThrow(coded('random-uniform/key-is-two-words'))
})

test('stack, split and unstack', () => {
  const built = q.model({ a: q.tensor('f32', [2]), b: q.tensor('f32', [2]) }, ({ a, b }) => {
    const both = q.stack([a, b], -1)
    const [head, tail] = q.split(q.concat([a, b]), [1, 3])
    const [left, right] = q.unstack(both, 1)
    return { both, head: head!, tail: tail!, left: left!, right: right! }
  })
  expect(run(built, { a: f32([2], 1, 2), b: f32([2], 3, 4) })).toEqual({
    both: { shape: [2, 2], data: [1, 3, 2, 4] },
    head: { shape: [1], data: [1] },
    tail: { shape: [3], data: [2, 3, 4] },
    left: { shape: [2], data: [1, 2] },
    right: { shape: [2], data: [3, 4] },
  })
  expect(() => q.split(q.zeros([4]), [1, 2])).toThrow(coded('split/sizes-add-up'))
  expect(() => q.stack([q.zeros([4])], 2)).toThrow(coded('stack/axis-in-range'))
  expect(() => q.model({ x: q.tensor('f32', [q.dim('n')]) }, ({ x }) => ({ x: q.unstack(x)[0]! }))).toThrow(
    coded('unstack/static-axis'),
  )
})

test('append to a state, rmsNorm and logSoftmax', () => {
  const cache = q.state('cache', q.tensor('f32', [4, 2]))
  const built = q.model({ row: q.tensor('f32', [1, 2]), at: q.tensor('i32', []) }, ({ row, at }) => {
    const grown = q.append(cache.value, row, at)
    expectTypeOf(grown).toEqualTypeOf<q.Tensor<'f32', readonly [4, 2]>>()
    return { next: cache.next(grown), unit: q.nn.rmsNorm(row, {}, 0), log: q.nn.logSoftmax(row) }
  })
  const old = f32([4, 2], ...Array.from({ length: 8 }, () => 0))
  const results = run(built, { row: f32([1, 2], 1, 7), at: i32([], 2), 'state:cache': old })
  expect(results['state:cache']?.data).toEqual([0, 0, 0, 0, 1, 7, 0, 0])
  expect(results['unit']?.data.map(v => Number(v).toFixed(3))).toEqual(['0.200', '1.400'])
  expect(results['log']?.data.map(v => Number(v).toFixed(3))).toEqual(['-6.002', '-0.002'])
})

test('what is known of shapes and dtypes shows in the editor, and nothing else is claimed', () => {
  const n = q.dim('n')
  q.model({ x: q.tensor('f32', [n, 3, 4]), w: q.tensor('f32', [4, 5]), m: q.tensor('bool', [3, 1]) }, ({ x, w, m }) => {
    expectTypeOf(q.matmul(x, w)).toEqualTypeOf<q.Tensor<'f32', readonly [typeof n, 3, 5]>>()
    expectTypeOf(q.where(m, x, 0)).toEqualTypeOf<q.Tensor<'f32', readonly [typeof n, 3, 4]>>()
    expectTypeOf(q.less(x, 1)).toEqualTypeOf<q.Tensor<'bool', readonly [typeof n, 3, 4]>>()
    expectTypeOf(q.reshape(x, [n, -1])).toEqualTypeOf<q.Tensor<'f32', readonly [typeof n, number]>>()
    expectTypeOf(q.transpose(w, [1, 0])).toEqualTypeOf<q.Tensor<'f32', readonly [5, 4]>>()
    expectTypeOf(q.cast(w, 'f16')).toEqualTypeOf<q.Tensor<'f16', readonly [4, 5]>>()
    for (const t of [q.matmul(x, w), q.where(m, x, 0), q.reshape(x, [n, -1]), q.transpose(w, [1, 0])])
      expect(t.type.shape).toHaveLength(t.shape.length)
    expect(q.matmul(x, w).shape).toEqual([n, 3, 5])
    expect(q.reshape(x, [n, -1]).shape).toEqual([n, 12])
    return { x }
  })
})

test('an instrumented call gives its span to all that it makes; without one the line is read off the stack', () => {
  const span = { file: 'a.model.ts', line: 7, column: 3 }
  const x = q.zeros([2])
  expect(q.$call(span, q.neg)(x).node.origin).toEqual(span)
  expect(q.$callMethod(span, q.nn, 'relu')(x).node.origin).toEqual(span)
  // Innermost first, and gone when the call has thrown.
  expect(q.$call({ ...span, line: 8 }, () => q.$call(span, q.neg)(x))().node.origin).toEqual(span)
  expect(() => q.$call(span, () => q.reshape(x, [3]))()).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ origin: span }) }),
  )
  expect(q.neg(x).node.origin?.file).toContain('ops.test.ts')
})
