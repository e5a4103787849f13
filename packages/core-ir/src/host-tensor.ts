/** @file A tensor on the host: what interpreters, folding and references take and return. */
import { type DType, type HostArray, arrayOf } from '@quern/artifact'

/** Row-major data of a literal shape. f16 is held as its bits, bool as 0/1 bytes (see `arrayOf`). */
export interface HostTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: HostArray
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1)

/** A tensor of zeros. */
export const zeros = (dtype: DType, shape: readonly number[]): HostTensor => ({
  dtype,
  shape,
  data: new arrayOf[dtype](elementCount(shape)),
})

/** The bytes of a host array, shared with it. */
export const bytesOfArray = (data: HostArray): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)

/** A host array over bytes: shared with them where their alignment allows, else copied. */
export const arrayOver = (dtype: DType, bytes: Uint8Array): HostArray => {
  const make = arrayOf[dtype]
  const size = make.BYTES_PER_ELEMENT
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  return new make(aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(bytes.byteLength / size))
}
