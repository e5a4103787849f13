/** @file Constants written in a model file: numbers, nested arrays, typed arrays. */
import { type DType, QuernError, arrayOf } from '@quern/artifact'
import { type ByteSource, type ConstantData, tensorType } from '@quern/core-ir'
import { currentOrigin } from '../origin.ts'
import { type Tensor, makeTensor } from '../tensor.ts'
import { hashBytes } from './hash.ts'

/** Up to this many elements a constant is written into the graph's text; beyond, its bytes are a source. */
const inlineElements = 64

export const constantData = (values: readonly number[], dtype: DType): ConstantData => ({
  kind: 'inline',
  values: dtype === 'i64' || dtype === 'u64' ? values.map(v => BigInt(v)) : values,
})

type Nested = number | readonly Nested[]
type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

const shapeOf = (value: Nested): number[] => {
  if (typeof value === 'number') return []
  const [first] = value
  return [value.length, ...(first === undefined ? [] : shapeOf(first))]
}

const flattened = (value: Nested): number[] => (typeof value === 'number' ? [value] : value.flatMap(flattened))

/**
 * A constant tensor.
 * @param values a number, nested arrays of one shape, or a flat array with `shape`
 * @param dtype default f32
 */
export function constant<const S extends readonly number[] = readonly number[], const D extends DType = 'f32'>(
  values: Nested | TypedArray,
  dtype?: D,
  shape?: S,
): Tensor<D, S> {
  const kind: DType = dtype ?? 'f32'
  const flat =
    typeof values === 'number' ? [values] : ArrayBuffer.isView(values) ? Array.from(values) : flattened(values)
  const dims: readonly number[] = shape ?? (ArrayBuffer.isView(values) ? [values.length] : shapeOf(values))
  const size = dims.reduce((p, d) => p * d, 1)
  if (size !== flat.length)
    throw new QuernError(
      'constant/shape-fits',
      `a constant of shape [${dims.join(',')}] needs ${size} values, and ${flat.length} were given`,
      { shape: dims, values: flat.length, origin: currentOrigin() },
    )
  const origin = currentOrigin()
  const type = tensorType(kind, dims)
  if (flat.length <= inlineElements)
    return makeTensor(
      { kind: 'constant', data: constantData(flat, kind), source: undefined, origin },
      0,
      type,
      new Map(),
    )
  const array =
    kind === 'i64' || kind === 'u64' ? arrayOf[kind].from(flat.map(v => BigInt(v))) : arrayOf[kind].from(flat)
  const bytes = new Uint8Array(array.buffer)
  const hash = hashBytes(bytes)
  const source: ByteSource = {
    name: `inline:${hash}`,
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }
  return makeTensor(
    {
      kind: 'constant',
      data: { kind: 'bytes', source: source.name, offset: 0, length: bytes.length, hash },
      source,
      origin,
    },
    0,
    type,
    new Map(),
  )
}
