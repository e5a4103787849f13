/**
 * @file The weights file of an artifact: constants in the layouts that kernels want, then initial values of states. Bytes
 * are read in pieces and packed as they arrive, straight into the file: nothing else is held.
 */
import { type AssetRef, type DType, bytesOf } from '@quern/artifact'
import {
  type ConstantData,
  type Index,
  type Layout,
  type PlanBuffer,
  ix,
  constantBytes,
  packingInto,
  rowElements,
} from '@quern/core-ir'
import { assetRef } from './asset.ts'
import type { ByteRange } from './read-constant.ts'

/** A constant at a byte offset of the file. */
export interface Placed {
  readonly at: number
  readonly dtype: DType
  readonly shape: readonly Index[]
  readonly layout: Layout
  readonly data: ConstantData
}

export interface Emitted {
  readonly weightsBytes: number
  readonly constants: readonly { readonly buffer: PlanBuffer; readonly at: number }[]
  readonly states: readonly {
    readonly name: string
    readonly at: number
    readonly dtype: DType
    readonly shape: readonly number[]
    readonly layout: Layout
    readonly data: ConstantData | undefined
    readonly init: number | undefined
  }[]
}

/** What goes into the file: the constants of a back end, and the initial values of states. */
export const placedData = ({ constants, states }: Emitted): Placed[] => [
  ...constants.flatMap(({ buffer, at }) =>
    buffer.data === undefined
      ? []
      : [{ at, dtype: buffer.dtype, shape: buffer.shape, layout: buffer.layout, data: buffer.data }],
  ),
  ...states.flatMap(({ dtype, shape, layout, data, init }) =>
    data === undefined || init === undefined
      ? []
      : [{ at: init, dtype, shape: shape.map(d => ix.constant(d)), layout, data }],
  ),
]

export type ReadRange = (range: ByteRange) => Promise<Uint8Array>

/** Packs weights files for the variants of a target: what is the same for several is packed and hashed once. */
export type PackWeights = (file: string, bytes: number, placed: readonly Placed[]) => Promise<PackedWeights>
interface PackedWeights {
  readonly file: Uint8Array
  readonly ref: AssetRef
}

export const weightsPacker = (read: ReadRange): PackWeights => {
  const known: { readonly placed: readonly Placed[]; readonly packed: Promise<PackedWeights> }[] = []
  return (name, bytes, placed) => {
    const before = known.find(k => samePlaces(k.placed, placed))
    if (before !== undefined) return before.packed
    const packed = weightsFile(bytes, placed, read).then(async file => ({ file, ref: await assetRef(name, file) }))
    known.push({ placed, packed })
    return packed
  }
}

const samePlaces = (a: readonly Placed[], b: readonly Placed[]): boolean =>
  a.length === b.length && a.every((p, i) => p.data === b[i]?.data && placeKey(p) === placeKey(b[i]))

const placeKey = ({ at, dtype, shape, layout }: Placed): string =>
  JSON.stringify([
    at,
    dtype,
    ...[shape, layout.map, layout.shape, layout.strides ?? []].map(list => list.map(x => x.key)),
    layout.offset?.key,
  ])

/** Bytes that are read at once, unless a row is larger. */
const pieceBytes = 4 << 20

export const weightsFile = async (bytes: number, placed: readonly Placed[], read: ReadRange): Promise<Uint8Array> => {
  const file = new Uint8Array(bytes)
  for (const { at, dtype, shape, layout, data } of placed) {
    const extents = shape.map(d => ix.evaluateIndex(d, new Map()))
    const take = packingInto(file.subarray(at), dtype, extents, layout)
    if (data.kind === 'inline') {
      take(constantBytes(data, dtype, extents))
      continue
    }
    const rowBytes = Math.max(1, rowElements(extents) * bytesOf[dtype])
    const piece = Math.max(1, Math.floor(pieceBytes / rowBytes)) * rowBytes
    for (let from = 0; from < data.length; from += piece)
      take(await read({ ...data, offset: data.offset + from, length: Math.min(piece, data.length - from) }))
  }
  return file
}
