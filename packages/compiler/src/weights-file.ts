/** @file The weights file of an artifact: constants in the layouts that kernels want, then initial values of states. */
import type { AssetRef, DType } from '@quern/artifact'
import {
  type ConstantData,
  type Index,
  type Layout,
  type PlanBuffer,
  ix,
  constantBytes,
  packConstant,
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

/** Packs weights files for the variants of a target: what is the same for several is packed and hashed once. */
export type PackWeights = (file: string, bytes: number, placed: readonly Placed[]) => Promise<PackedWeights>
interface PackedWeights {
  readonly file: Uint8Array
  readonly ref: AssetRef
}

export const weightsPacker = (read: (range: ByteRange) => Promise<Uint8Array>): PackWeights => {
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

const weightsFile = async (
  bytes: number,
  placed: readonly Placed[],
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<Uint8Array> => {
  const file = new Uint8Array(bytes)
  for (const { at, dtype, shape, layout, data } of placed) {
    const extents = shape.map(d => ix.evaluateIndex(d, new Map()))
    file.set(
      packConstant(
        data.kind === 'bytes' ? await read(data) : constantBytes(data, dtype, extents),
        dtype,
        extents,
        layout,
      ),
      at,
    )
  }
  return file
}
