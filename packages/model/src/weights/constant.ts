/** @file Constants written in a model file: numbers, nested arrays, typed arrays. */
import { type DType, QuernError, bytesOf, dtypes } from '@quern/artifact'
import { type ByteSource, type ConstantData, constantBytes, hashBytes, inWords, tensorType } from '@quern/core-ir'
import { checkDType, refuse } from '../arguments.ts'
import { currentOrigin } from '../origin.ts'
import { toShape } from '../size.ts'
import { type Tensor, checkSize, isTensor, makeTensor } from '../tensor.ts'

const integerRange: Readonly<Partial<Record<DType, readonly [low: number, high: number]>>> = {
  i8: [-(2 ** 7), 2 ** 7 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  // The ends of 64 bits lie just beyond the last number that a double holds.
  i64: [-(2 ** 63), 2 ** 63 - 1024],
  u8: [0, 2 ** 8 - 1],
  u16: [0, 2 ** 16 - 1],
  u32: [0, 2 ** 32 - 1],
  u64: [0, 2 ** 64 - 2048],
  bool: [0, 1],
}
/** From here on a number rounds to infinity: halfway between the largest and the next power of two. */
const floatLimit: Readonly<Partial<Record<DType, number>>> = { f16: 65_520, f32: 2 ** 128 - 2 ** 103 }

/** Refuses what the dtype does not hold, before it is silently wrapped, cut or made infinite. Floats round. */
export const checkFits = (values: ArrayLike<number>, dtype: DType): void => {
  const range = integerRange[dtype]
  const limit = floatLimit[dtype] ?? Infinity
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    const fits =
      range === undefined
        ? !Number.isFinite(value) || Math.abs(value) < limit
        : Number.isInteger(value) && value >= range[0] && value <= range[1]
    if (fits) continue
    const holds = range === undefined ? `numbers below ${limit}` : `integers from ${range[0]} to ${range[1]}`
    throw new QuernError(
      'constant/value-fits',
      `${dtype} holds ${holds}, and ${inWords(value)} is none: write another number, or cast() the tensor that it meets to another dtype`,
      { value: inWords(value), dtype, at: i, origin: currentOrigin() },
    )
  }
}

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

/** The dtype whose numbers an array holds as they are. Half precision has no array of its own: Uint16Array holds integers. */
const dtypeOf = (values: TypedArray): DType | undefined => {
  if (values instanceof Float32Array) return 'f32'
  if (values instanceof Float64Array) return 'f64'
  if (values instanceof Int8Array) return 'i8'
  if (values instanceof Uint8Array) return 'u8'
  if (values instanceof Int16Array) return 'i16'
  if (values instanceof Uint16Array) return 'u16'
  if (values instanceof Int32Array) return 'i32'
  return values instanceof Uint32Array ? 'u32' : undefined
}

const shapeOf = (value: Nested): number[] => {
  if (typeof value === 'number') return []
  const [first] = value
  return [value.length, ...(first === undefined ? [] : shapeOf(first))]
}

const flattened = (value: Nested): number[] => (typeof value === 'number' ? [value] : value.flatMap(flattened))

/** Numbers, in lists of lists of one length. */
const checkValues = (values: unknown): void => {
  if (ArrayBuffer.isView(values) && !(values instanceof DataView)) return
  if (isTensor(values)) refuse('constant/values', 'constant takes numbers, and was given a tensor: use it as it is')
  const lengths: (number | undefined)[] = []
  const visit = (x: unknown, depth: number): void => {
    const length = Array.isArray(x) ? x.length : undefined
    if (length === undefined && typeof x !== 'number')
      refuse('constant/values', `constant takes numbers and lists of numbers, and found ${inWords(x)} among them`)
    if (depth < lengths.length && lengths[depth] !== length)
      refuse(
        'constant/shape-fits',
        `constant takes lists of one length, and at depth ${depth + 1} there are ${lengthWords(lengths[depth])} and ${lengthWords(length)}`,
      )
    lengths[depth] = length
    if (depth > mostDims) refuse('constant/values', `constant takes lists nested up to ${mostDims} deep`)
    if (Array.isArray(x)) for (const inner of x) visit(inner, depth + 1)
  }
  visit(values, 0)
}
const mostDims = 32

/** A constant is held in memory as a whole while the model file runs; from here on it belongs into a file, which is read in parts. */
const mostBytes = 2 ** 30
const checkBytes = (dtype: DType, elements: number): void => {
  const bytes = elements * bytesOf[dtype]
  if (bytes > mostBytes)
    refuse(
      'constant/too-large',
      `a constant of ${elements.toLocaleString('en')} numbers takes ${bytes.toLocaleString('en')} bytes, and one that is written in a model file has at most ${mostBytes.toLocaleString('en')}: keep it in a .safetensors file, or make it of smaller ones with full(), iota() and the like`,
      { bytes, most: mostBytes },
    )
}
const lengthWords = (length: number | undefined): string => (length === undefined ? 'a number' : `a list of ${length}`)

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
  const order = 'a constant is written constant(values, dtype, shape)'
  if (typeof values === 'string' && dtypes.some(d => d === (values as string)))
    refuse('constant/values', `${order}: the dtype ${inWords(values)} comes second`)
  if (Array.isArray(dtype) || ArrayBuffer.isView(dtype)) refuse('constant/values', `${order}: the shape comes third`)
  checkDType('constant', kind)
  if (typeof values === 'object') checkBytes(kind, values.length)
  checkValues(values)
  const flat: ArrayLike<number> =
    typeof values === 'number' ? [values] : ArrayBuffer.isView(values) ? values : flattened(values)
  if (shape !== undefined) toShape('constant', shape)
  const dims: readonly number[] = shape ?? (ArrayBuffer.isView(values) ? [values.length] : shapeOf(values))
  const size = dims.reduce((p, d) => p * d, 1)
  if (size !== flat.length)
    throw new QuernError(
      'constant/shape-fits',
      `a constant of shape [${dims.join(',')}] needs ${size} values, and ${flat.length} were given`,
      { shape: dims, values: flat.length, origin: currentOrigin() },
    )
  // Before anything is looked at, copied or hashed: numbers that are too many take minutes for that.
  const type = tensorType(kind, dims)
  checkSize(type, new Map())
  checkBytes(kind, size)
  const held = ArrayBuffer.isView(values) && dtypeOf(values) === kind ? values : undefined
  if (held === undefined) checkFits(flat, kind)
  const origin = currentOrigin()
  if (flat.length <= inlineElements)
    return makeTensor(
      { kind: 'constant', data: constantData(Array.from(flat), kind), source: undefined, origin },
      0,
      type,
      new Map(),
    )
  // A copy either way: what the caller writes into the array later is none of the model's business.
  const bytes =
    held === undefined
      ? constantBytes({ kind: 'inline', values: Array.from(flat) }, kind, dims)
      : new Uint8Array(held.buffer, held.byteOffset, held.byteLength).slice()
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
