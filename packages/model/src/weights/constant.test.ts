import { type DType, dtypes } from '@quern/artifact'
import { castValue, fromHalfBits, interpretGraphSync } from '@quern/core-ir'
import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import * as q from '../index.ts'

const coded = (code: string): unknown => expect.objectContaining({ code })

test('a number that the dtype does not hold is refused, at the line that writes it', () => {
  const x = { x: q.tensor('u8', [2]) }
  const wrong = [
    () => q.model(x, ({ x }) => ({ y: q.mul(x, 1.7) })),
    () => q.model(x, ({ x }) => ({ y: q.add(x, 300) })),
    () => q.model(x, ({ x }) => ({ y: q.clamp(x, -1, 255) })),
    () => q.model(x, ({ x }) => ({ y: q.pad(x, [1], [1], 0.5) })),
    () => q.constant([1, Number.NaN], 'i32'),
    () => q.constant(Infinity, 'i64'),
    () => q.constant(2 ** 63, 'i64'),
    () => q.constant(-1, 'u64'),
    () => q.constant(2, 'bool'),
    () => q.constant(1e39),
    () => q.constant(65_520, 'f16'),
    () => q.state('s', q.tensor('i8', [2]), [1, 128]),
  ]
  for (const f of wrong) expect(f).toThrow(coded('constant/value-fits'))
  expect(() => q.constant(1.5, 'i32')).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ origin: expect.objectContaining({ line: 26 }) }) }),
  )
  for (const v of [NaN, Infinity, -Infinity, 65_519, 0.1]) expect(() => q.constant(v, 'f16')).not.toThrow()
  expect(() => q.model(x, ({ x }) => ({ y: q.add(x, 255) }))).not.toThrow()
})

test('what is accepted is what the dtype holds: conversion changes no integer, and makes no float infinite', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<DType>(...dtypes),
      fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger(), fc.integer({ min: -1, max: 256 })),
      (dtype, value) => {
        const float = dtype.startsWith('f')
        const there =
          Number.isInteger(value) && !float ? castValue('i64', dtype, BigInt(value)) : castValue('f64', dtype, value)
        const holds = float
          ? Number.isFinite(Number(there)) === Number.isFinite(value)
          : Number.isInteger(value) && Math.abs(value) < 2 ** 63 && Number(there) === value
        if (holds) expect(() => q.constant(value, dtype)).not.toThrow()
        else expect(() => q.constant(value, dtype)).toThrow(coded('constant/value-fits'))
      },
    ),
    { numRuns: 500 },
  )
})

test('constants of few and of many elements hold the same values in every dtype', async () => {
  for (const dtype of dtypes) {
    const values = Array.from({ length: 100 }, (_, i) => (dtype === 'bool' ? i % 2 : dtype.startsWith('f') ? i / 2 : i))
    const { node } = q.constant(values, dtype)
    if (node.kind !== 'constant' || node.source === undefined) throw new Error('100 elements are bytes')
    const bytes = await node.source.read(0, node.source.size)
    const built = q.programOf(q.model({}, () => ({ y: q.constant(values.slice(0, 50), dtype) }))).graph
    const few = interpretGraphSync([...built.entries.values()][0]!, {})['y']!
    const head = new Uint8Array(few.data.buffer, few.data.byteOffset, few.data.byteLength)
    expect([...bytes.subarray(0, head.length)]).toEqual([...head])
    if (dtype === 'f16') expect(fromHalfBits(new Uint16Array(bytes.buffer, bytes.byteOffset)[3] ?? 0)).toBe(1.5)
  }
})

test('shapes of constants', () => {
  expect(q.constant([[1, 2, 3]]).shape).toEqual([1, 3])
  expect(q.constant(Float32Array.of(1, 2)).shape).toEqual([2])
  expectTypeOf(q.constant([1, 2], 'u8', [2, 1])).toEqualTypeOf<q.Tensor<'u8', readonly [2, 1]>>()
  expect(() => q.constant([1, 2, 3], 'f32', [2])).toThrow(coded('constant/shape-fits'))
  expect(() => q.constant([[1, 2], [3]])).toThrow(coded('constant/shape-fits'))
  expect(() => q.state('s', q.tensor('f32', [3]), [1, 2])).toThrow(coded('state/init-fits'))
})

test('a typed array means its numbers, whatever array it is, and is copied', async () => {
  const bytesOf = async (values: Parameters<typeof q.constant>[0], dtype: DType): Promise<Uint8Array> => {
    const { node } = q.constant(values, dtype, [100])
    if (node.kind !== 'constant' || node.source === undefined) throw new Error('100 elements are bytes')
    return node.source.read(0, node.source.size)
  }
  const numbers = Array.from({ length: 100 }, (_, i) => i)
  const arrays = [Float32Array, Float64Array, Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array]
  for (const dtype of dtypes.filter(d => d !== 'bool'))
    for (const TypedArray of arrays)
      expect(await bytesOf(TypedArray.from(numbers), dtype), `${TypedArray.name} as ${dtype}`).toEqual(
        await bytesOf(numbers, dtype),
      )
  const own = Float32Array.from(numbers)
  const { node } = q.constant(own)
  own.fill(7)
  if (node.kind !== 'constant' || node.source === undefined) throw new Error('100 elements are bytes')
  expect(new Float32Array((await node.source.read(0, 400)).slice().buffer)).toEqual(Float32Array.from(numbers))
})

test('the order of arguments is said where it was mistaken', () => {
  const loose = q.constant as unknown as (...args: readonly unknown[]) => unknown
  expect(() => loose('f32', [2], [1, 2])).toThrow(/constant\(values, dtype, shape\): the dtype "f32" comes second/)
  expect(() => loose([1, 2], [2])).toThrow(/constant\(values, dtype, shape\): the shape comes third/)
  expect(() => loose([1], 7)).toThrow(/7 is none: the dtypes are f32/)
})

test('what is too large to be held is refused before it is looked at', () => {
  // A view of nothing: only its length is asked for.
  const many = Object.defineProperty(new Float32Array(0), 'length', { value: 4e8 })
  const start = performance.now()
  expect(() => q.constant(many, 'f32', [20_000, 20_000])).toThrow(coded('constant/too-large'))
  expect(performance.now() - start).toBeLessThan(1000)
})
