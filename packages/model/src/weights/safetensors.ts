/**
 * @file Reader of the safetensors format: an 8-byte little-endian header length, a JSON header, then the data.
 * The file is untrusted: every length is checked against what is there before anything is allocated.
 * Source: https://github.com/huggingface/safetensors#format
 */
import { type DType, QuernError, bytesOf, isQuernError } from '@quern/artifact'
import { type ByteSource, didYouMean, inWords, tensorType } from '@quern/core-ir'
import { byteSource } from '#byte-source'
import { checkDType, refuse } from '../arguments.ts'
import { currentOrigin } from '../origin.ts'
import type { AnyShape } from '../shape-types.ts'
import { toShape } from '../size.ts'
import { type Tensor, makeTensor } from '../tensor.ts'

const dtypeNames: Readonly<Record<string, DType>> = {
  F64: 'f64',
  F32: 'f32',
  F16: 'f16',
  I64: 'i64',
  I32: 'i32',
  I16: 'i16',
  I8: 'i8',
  U64: 'u64',
  U32: 'u32',
  U16: 'u16',
  U8: 'u8',
  BOOL: 'bool',
}
/** The format's own cap on its header. */
const maxHeaderBytes = 100_000_000

interface StoredTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly offset: number
  readonly length: number
}

export interface Weights {
  readonly names: readonly string[]
  /** A weight, checked against the dtype and shape that the model expects. */
  get<const D extends DType, const S extends readonly number[]>(name: string, dtype: D, shape: S): Tensor<D, S>
  /** A weight of whatever dtype and shape is stored. */
  get(name: string): Tensor
}

const bad = (source: string, what: string, details: Readonly<Record<string, unknown>> = {}): QuernError =>
  new QuernError('safetensors/malformed', `${source} is not a valid safetensors file: ${what}`, { source, ...details })

/** Opens a safetensors file. Only its header is read now; weights are read when the model is compiled. */
export const safetensors = async (url: URL): Promise<Weights> => {
  if (typeof url !== 'object' || url === null || typeof url.href !== 'string')
    refuse(
      'weights/not-a-url',
      `safetensors takes a URL, and was given ${inWords(url)}: write new URL('./weights.safetensors', import.meta.url), and the file is found beside the model file`,
    )
  const origin = currentOrigin()
  try {
    return await readSafetensors(await byteSource(url))
  } catch (error) {
    // What is wrong with the file shows after the call: it belongs to the line that named the file.
    if (!isQuernError(error) || error.details['origin'] !== undefined) throw error
    const says = error.message.slice(`[${error.code}] `.length)
    throw new QuernError(error.code, says, { ...error.details, origin }, error.cause)
  }
}

/** The last part of a source's name: what a person calls the file. */
const fileOf = ({ name }: ByteSource): string => name.slice(name.lastIndexOf('/') + 1)

export const readSafetensors = async (source: ByteSource): Promise<Weights> => {
  const stored = await readHeader(source)
  const get = (name: string, dtype?: DType, shape?: readonly number[]): Tensor => {
    const found = stored.get(name)
    if (found === undefined)
      throw new QuernError(
        'weights/no-such-tensor',
        `${fileOf(source)} holds no tensor ${inWords(name)}: ${didYouMean(String(name), [...stored.keys()])}`,
        { name: String(name), source: source.name, origin: currentOrigin() },
      )
    if (dtype !== undefined) checkDType('get', dtype)
    if (shape !== undefined) toShape('get', shape)
    const wanted = `${dtype ?? found.dtype}[${(shape ?? found.shape).join(',')}]`,
      there = `${found.dtype}[${found.shape.join(',')}]`
    if (wanted !== there)
      throw new QuernError(
        'weights/type-agrees',
        `${name} is ${there} in ${fileOf(source)}, and the model wants ${wanted}: write the shape that is stored, and reshape or cast the tensor where another is needed`,
        { name, wanted, found: there, origin: currentOrigin() },
      )
    const { offset, length } = found
    return makeTensor<DType, AnyShape>(
      {
        kind: 'constant',
        source,
        origin: { ...(currentOrigin() ?? { file: source.name, line: 1, column: 1 }), name },
        // Identity is source and range. A hash of the content would need the content, which is read when a model is compiled.
        data: { kind: 'bytes', source: source.name, offset, length, hash: '' },
      },
      0,
      tensorType(found.dtype, found.shape),
      new Map(),
    )
  }
  return { names: [...stored.keys()], get: get as Weights['get'] }
}

const readHeader = async (source: ByteSource): Promise<ReadonlyMap<string, StoredTensor>> => {
  if (source.size < 8) throw bad(source.name, `it has ${source.size} bytes, and the header length alone takes 8`)
  const head = await readAll(source, 0, 8)
  const headerBytes = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true))
  if (headerBytes > maxHeaderBytes || headerBytes > source.size - 8)
    throw bad(source.name, `its header claims ${headerBytes} bytes, and ${source.size - 8} follow`)
  const headerText = await readAll(source, 8, headerBytes)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(headerText))
  } catch (cause) {
    throw bad(source.name, 'its header is not JSON', { cause: String(cause) })
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw bad(source.name, 'its header is not an object')
  const dataAt = 8 + headerBytes,
    dataBytes = source.size - dataAt
  const tensors = new Map<string, StoredTensor>()
  for (const [name, value] of Object.entries(header))
    if (name !== '__metadata__') tensors.set(name, readEntry(source, name, value, dataAt, dataBytes))
  refuseOverlaps(source, tensors)
  return tensors
}

/** A source may be shorter than it said: a file that was cut since. */
const readAll = async (source: ByteSource, offset: number, length: number): Promise<Uint8Array> => {
  const bytes = await source.read(offset, length)
  if (bytes.length !== length) throw bad(source.name, `it ends before byte ${offset + length}`)
  return bytes
}

/** No byte belongs to two tensors. Empty ones have none. */
const refuseOverlaps = (source: ByteSource, tensors: ReadonlyMap<string, StoredTensor>): void => {
  const ranges = [...tensors].filter(([, t]) => t.length > 0).sort(([, a], [, b]) => a.offset - b.offset)
  ranges.forEach(([name, { offset }], i) => {
    const before = ranges[i - 1]
    if (before !== undefined && before[1].offset + before[1].length > offset)
      throw bad(source.name, `the data of ${before[0]} and ${name} overlap`)
  })
}

const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0

const readEntry = (
  source: ByteSource,
  name: string,
  value: unknown,
  dataAt: number,
  dataBytes: number,
): StoredTensor => {
  const {
    dtype: dtypeName,
    shape,
    data_offsets: range,
  } = (typeof value === 'object' && value !== null ? value : {}) as {
    dtype?: unknown
    shape?: unknown
    data_offsets?: unknown
  }
  const dtype =
    typeof dtypeName === 'string' && Object.hasOwn(dtypeNames, dtypeName) ? dtypeNames[dtypeName] : undefined
  if (dtype === undefined)
    throw bad(
      source.name,
      `${name} has the dtype ${JSON.stringify(dtypeName)}; known are ${Object.keys(dtypeNames).join(', ')}`,
    )
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw bad(source.name, `the shape of ${name} is not a list of sizes`)
  if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount))
    throw bad(source.name, `the data_offsets of ${name} are not two positions`)
  const [begin, end] = range as [number, number]
  const bytes = shape.reduce((p: number, d: number) => p * d, bytesOf[dtype])
  if (end < begin || end > dataBytes || !Number.isSafeInteger(bytes) || end - begin !== bytes)
    throw bad(
      source.name,
      `${name} is ${dtype}[${shape.join(',')}] (${bytes} bytes), and its data_offsets are ${begin} to ${end} of ${dataBytes}`,
    )
  return { dtype, shape, offset: dataAt + begin, length: bytes }
}
