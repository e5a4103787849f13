import { isQuernError } from '@quern/artifact'
import type { ByteSource } from '@quern/core-ir'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Weights, readSafetensors } from './safetensors.ts'

const coded = (code: string): unknown => expect.objectContaining({ code })

/** A source that tells which ranges were read. */
const sourceOf = (bytes: Uint8Array): ByteSource & { readonly reads: [number, number][] } => {
  const reads: [number, number][] = []
  return {
    name: 'w.safetensors',
    size: bytes.length,
    reads,
    read: (offset, length) => {
      reads.push([offset, length])
      return Promise.resolve(bytes.slice(offset, offset + length))
    },
  }
}
const fileOf = (header: unknown, data = 0): Uint8Array => {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}
const open = (header: unknown, data = 0): Promise<Weights> => readSafetensors(sourceOf(fileOf(header, data)))
const f32 = (shape: readonly number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
})

test('opening reads the header and nothing else', async () => {
  const bytes = fileOf({ __metadata__: { by: 'me' }, w: f32([2, 3], 0, 24), b: f32([2], 24, 32) }, 32)
  const source = sourceOf(bytes)
  const weights = await readSafetensors(source)
  const header = bytes.length - 32
  expect(source.reads).toEqual([
    [0, 8],
    [8, header - 8],
  ])
  expect(weights.names).toEqual(['w', 'b'])
  expect(weights.get('b', 'f32', [2]).node).toMatchObject({ data: { offset: header + 24, length: 8 }, source })
  expect(source.reads).toHaveLength(2)
})

test('a weight is what the model says it is, or an error that names both', async () => {
  const weights = await open({ w: f32([2, 3], 0, 24) }, 24)
  expect(() => weights.get('w', 'f32', [3, 2])).toThrow(coded('weights/type-agrees'))
  expect(() => weights.get('w', 'f16', [2, 3])).toThrow('w is f32[2,3] in w.safetensors, and the model wants f16[2,3]')
  expect(() => weights.get('v')).toThrow(coded('weights/no-such-tensor'))
})

test.each([
  ['overlapping ranges', { a: f32([4], 0, 16), b: f32([4], 12, 28) }],
  ['one range twice', { a: f32([4], 0, 16), b: f32([4], 0, 16) }],
  ['a range inside another', { a: f32([7], 0, 28), b: f32([1], 4, 8) }],
  ['a range beyond the end', { a: f32([8], 0, 32) }],
  ['a range that is no size of the type', { a: f32([4], 0, 12) }],
  ['a size that overflows', { a: f32([2 ** 40, 2 ** 40], 0, 28) }],
  ['a negative size', { a: f32([-1], 0, 4) }],
  ['a dtype that is an object', { a: { ...f32([1], 0, 4), dtype: { toString: 1, valueOf: 1 } } }],
  ['a dtype of a prototype', { a: { ...f32([1], 0, 4), dtype: 'constructor' } }],
  ['no object', [1, 2]],
  ['no JSON', '{"a": '],
])('%s is refused', async (_, header) => {
  await expect(open(header, 28)).rejects.toThrow(coded('safetensors/malformed'))
})

test('empty tensors share a place', async () => {
  expect((await open({ a: f32([0], 0, 0), b: f32([3, 0], 0, 0), c: f32([1], 0, 4) }, 4)).names).toEqual(['a', 'b', 'c'])
})

test('a source that is shorter than it said is refused', async () => {
  const source = sourceOf(fileOf({ a: f32([1], 0, 4) }, 4))
  for (const there of [4, 12]) {
    const cut = { ...source, read: async (o: number, l: number) => (await source.read(o, l)).subarray(0, there - o) }
    await expect(readSafetensors(cut)).rejects.toThrow(coded('safetensors/malformed'))
  }
})

test('random bytes and random headers throw nothing but coded errors', async () => {
  const onlyCoded = async (bytes: Uint8Array): Promise<void> => {
    try {
      const weights = await readSafetensors(sourceOf(bytes))
      for (const name of weights.names) weights.get(name)
    } catch (error) {
      if (!isQuernError(error)) throw error
      expect(error.code).toBe('safetensors/malformed')
    }
  }
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), onlyCoded), { numRuns: 500 })
  const entry = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'U8', 'BOOL', 'F8'), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(fc.nat(40), fc.nat(40)), fc.jsonValue()),
      },
      { requiredKeys: [] },
    ),
  )
  const header = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string({ maxLength: 4 }), entry, { maxKeys: 4 }))
  await fc.assert(
    fc.asyncProperty(header, fc.nat(40), (h, data) => onlyCoded(fileOf(JSON.stringify(h), data))),
    { numRuns: 500 },
  )
})
