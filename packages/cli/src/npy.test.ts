/** @file .npy files: what is written is read, NumPy's own bytes are read, and nothing but its own errors is thrown. */
import { type HostArray, arrayOf, dtypes, isQuernError } from '@quern/artifact'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readNpy, writeNpy } from './npy.ts'

it('reads what it writes, for every dtype and shape', () => {
  fc.assert(
    fc.property(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 4 }), (dtype, shape) => {
      const data = new arrayOf[dtype](shape.reduce((n, d) => n * d, 1)) as HostArray
      data.forEach((_, i) => (data[i] = typeof data[i] === 'bigint' ? BigInt(i) : i % 2))
      const bytes = writeNpy({ dtype, shape, data })
      expect((bytes.length - data.byteLength) % 64).toBe(0)
      expect(readNpy(Buffer.concat([Buffer.from('x'), bytes]).subarray(1), 'x')).toEqual({ dtype, shape, data })
    }),
  )
})

it('reads what NumPy wrote', () => {
  // np.save of np.array([[1, 2]], dtype='<i2')
  const header = "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }".padEnd(117) + '\n'
  const bytes = Uint8Array.from([
    0x93,
    ...[...'NUMPY'].map(c => c.charCodeAt(0)),
    1,
    0,
    118,
    0,
    ...[...header].map(c => c.charCodeAt(0)),
    1,
    0,
    2,
    0,
  ])
  expect(readNpy(bytes, 'x')).toEqual({ dtype: 'i16', shape: [1, 2], data: Int16Array.of(1, 2) })
})

it('throws only its own errors, on damaged files', () => {
  const whole = writeNpy({ dtype: 'f32', shape: [2, 3], data: new Float32Array(6) })
  const readOrRefuse = (bytes: Uint8Array): void => {
    try {
      readNpy(bytes, 'x')
    } catch (error) {
      if (!isQuernError(error)) throw error
    }
  }
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, length) => {
      const bytes = whole.slice(0, Math.max(length, at))
      bytes[at] = value
      readOrRefuse(bytes)
    }),
  )
})
