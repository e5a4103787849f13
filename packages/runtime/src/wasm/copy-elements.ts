/** @file `set` between arrays of one dtype: bytes, since the two number kinds share no signature. */
import type { HostArray } from '@quern/artifact'

export const copyElements = (from: HostArray, to: HostArray): void =>
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(
    new Uint8Array(from.buffer, from.byteOffset, from.byteLength),
  )
