import { expect, test } from 'vitest'
import { hashBytes } from './hash-bytes.ts'

/** The hash as the bytes of four little-endian words. */
const bytesOfHash = (hex: string): number[] =>
  [0, 8, 16, 24].flatMap(at => [6, 4, 2, 0].map(b => Number.parseInt(hex.slice(at + b, at + b + 2), 16)))

test('is MurmurHash3_x86_128, by the verification value of SMHasher', () => {
  const key = Uint8Array.from({ length: 256 }, (_, i) => i)
  const hashes = Array.from(key, (_, length) => bytesOfHash(hashBytes(key.subarray(0, length), 256 - length)))
  expect(hashBytes(Uint8Array.from(hashes.flat())).slice(0, 8)).toBe('b3ece62a')
})

test('does not depend on where the bytes lie', () => {
  const data = Uint8Array.from({ length: 100 }, (_, i) => (i * 37) % 256)
  const moved = new Uint8Array(103)
  moved.set(data, 3)
  expect(hashBytes(moved.subarray(3))).toBe(hashBytes(data))
})

test('hashes a hundred megabytes in less than a second', () => {
  const data = new Uint8Array(100 << 20)
  hashBytes(data.subarray(0, 1 << 20))
  const start = performance.now()
  hashBytes(data)
  expect(performance.now() - start).toBeLessThan(1000)
})
