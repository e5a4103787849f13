/** @file The weights file of an artifact: constants in the layouts that kernels want, then initial values of states. */
import type { DType } from '@quern/artifact'
import { arrayOf } from '@quern/artifact'
import { type ConstantData, type Layout, type Index, ix, packConstant } from '@quern/core-ir'
import type { ByteRange } from './read-constant.ts'

/** A constant at a byte offset of the file. */
export interface Placed {
  readonly at: number
  readonly dtype: DType
  readonly shape: readonly Index[]
  readonly layout: Layout
  readonly data: ConstantData
}

const rowMajorBytes = async (
  data: ConstantData,
  dtype: DType,
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<Uint8Array> => {
  if (data.kind === 'bytes') return read(data)
  const array =
    dtype === 'i64' || dtype === 'u64'
      ? arrayOf[dtype].from(data.values.map(v => BigInt(v)))
      : arrayOf[dtype].from(data.values.map(Number))
  return new Uint8Array(array.buffer)
}

export const weightsFile = async (
  bytes: number,
  placed: readonly Placed[],
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<Uint8Array> => {
  const file = new Uint8Array(bytes)
  for (const { at, dtype, shape, layout, data } of placed) {
    const extents = shape.map(d => ix.evaluateIndex(d, new Map()))
    file.set(packConstant(await rowMajorBytes(data, dtype, read), dtype, extents, layout), at)
  }
  return file
}
