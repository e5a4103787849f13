/**
 * @file Buffers that travel to a worker and back. The app keeps its own arrays, so what goes over is a copy; a fresh 16 MB
 * buffer costs ten times as much as filling one, because the system hands it out page by page.
 */
import { type DType, type HostArray, arrayOf } from '@quern/artifact'

export interface Lending {
  /** An array of unspecified content. */
  take(dtype: DType, length: number): HostArray
  /** A copy of just this view. */
  copy(dtype: DType, data: HostArray): HostArray
  /** What came home replaces what was kept: no more is held than one run needs. */
  keep(buffers: readonly ArrayBuffer[]): void
}

export const lending = (): Lending => {
  let spare: ArrayBuffer[] = []
  const take = (dtype: DType, length: number): HostArray => {
    const Kind = arrayOf[dtype]
    const at = spare.findIndex(b => b.byteLength === length * Kind.BYTES_PER_ELEMENT)
    const [buffer] = at < 0 ? [] : spare.splice(at, 1)
    return buffer === undefined ? new Kind(length) : new Kind(buffer)
  }
  return {
    take,
    copy: (dtype, data) => {
      const to = take(dtype, data.length)
      new Uint8Array(to.buffer).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      return to
    },
    keep: buffers => {
      spare = [...buffers]
    },
  }
}
