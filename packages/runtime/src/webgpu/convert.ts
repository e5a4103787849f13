/** @file Elements as the device holds them and as the host does: WebGPU keeps narrow integers, bools and narrowed i64 in 32 bits. */
import { type DType, type HostArray, QuernError, arrayOf } from '@quern/artifact'

/** What the host and the device call the elements of one port. */
export interface HeldAs {
  readonly name: string
  readonly dtype: DType
  readonly held?: DType
}

/** Bytes to write, padded to a multiple of four as `writeBuffer` wants. */
export const toDevice = ({ name, dtype, held }: HeldAs, data: HostArray): Uint8Array<ArrayBuffer> => {
  if (held === undefined || held === dtype) return padded(data)
  const wide = new arrayOf[held](data.length)
  // An element of a shared or resizable array is read once, so plain index loops serve every kind.
  for (let i = 0; i < data.length; i++) {
    const from = data[i] ?? 0
    const value = dtype === 'f16' ? halfToNumber(Number(from)) : dtype === 'bool' ? Number(from !== 0) : Number(from)
    wide[i] = value
    if (typeof from === 'bigint' && BigInt(wide[i] ?? 0) !== from)
      throw new QuernError(
        'input/out-of-range',
        `${name} holds ${from} at ${i}, and on WebGPU this model computes with ${held}: load it with device 'wasm'`,
        { name, index: i, value: `${from}`, held },
      )
  }
  return padded(wide)
}

const padded = (data: HostArray): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  if (bytes.length % 4 === 0 && data.buffer instanceof ArrayBuffer) return bytes
  const copy = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  copy.set(bytes)
  return copy
}

/** Elements out of mapped bytes, into a fresh array or the caller's. */
export const fromDevice = (
  { dtype, held }: HeldAs,
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  into?: HostArray,
): HostArray => {
  const data: HostArray = into ?? new arrayOf[dtype](length)
  if (held === undefined || held === dtype) {
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes.subarray(0, data.byteLength))
    return data
  }
  const wide: HostArray = new arrayOf[held](bytes.buffer, bytes.byteOffset, length)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < length; i++) data[i] = BigInt(wide[i] ?? 0)
  else if (dtype === 'f16') for (let i = 0; i < length; i++) data[i] = halfBits(Number(wide[i]))
  else for (let i = 0; i < length; i++) data[i] = Number(wide[i])
  return data
}

const halfToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1,
    exponent = (bits >> 10) & 31,
    fraction = bits & 0x3ff
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

/** The bits of a number that a half float can hold: the device has rounded it. */
const halfBits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0,
    size = Math.abs(x)
  if (size > 65504) return sign | 0x7c00
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)))
  const fraction = Math.round(size * 2 ** (10 - exponent))
  return sign | (size < 2 ** -14 ? Math.round(size * 2 ** 24) : ((exponent + 15) << 10) + fraction - 1024)
}
