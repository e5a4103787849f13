/** @file NumPy's .npy files (format 1 to 3), little-endian and in C order: read with every length checked, and written. */
import { type DType, type HostArray, type Tensor, QuernError, arrayOf, bytesOf } from '@quern/artifact'

const codes = {
  f32: '<f4',
  f16: '<f2',
  f64: '<f8',
  i64: '<i8',
  i32: '<i4',
  i16: '<i2',
  i8: '|i1',
  u64: '<u8',
  u32: '<u4',
  u16: '<u2',
  u8: '|u1',
  bool: '|b1',
} as const satisfies Record<DType, string>
const dtypeOf = new Map<string, DType>(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]))

const magic = '\x93NUMPY'
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

export const readNpy = (bytes: Uint8Array, name: string): Tensor => {
  const bad = (what: string): QuernError =>
    new QuernError('npy/malformed', `${name} is not a .npy file: ${what}`, { name })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 10 || text(bytes.subarray(0, 6)) !== magic) throw bad('it does not begin as one')
  const major = view.getUint8(6)
  if (major < 1 || major > 3) throw bad(`format ${major} is unknown`)
  const start = major === 1 ? 10 : 12
  if (bytes.length < start) throw bad('it ends in its header')
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > bytes.length - start || length > 65_536) throw bad('its header is longer than the file')
  const header = text(bytes.subarray(start, start + length))
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const dims = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(header)?.[1]
  if (descr === undefined || order === undefined || dims === undefined)
    throw bad('its header lacks descr, fortran_order or shape')
  const dtype = dtypeOf.get(descr)
  if (dtype === undefined) throw bad(`its dtype ${JSON.stringify(descr)} is none of ${[...dtypeOf.keys()].join(' ')}`)
  if (order === 'True') throw bad('it is in Fortran order: save np.ascontiguousarray(x)')
  const shape = dims
    .split(',')
    .map(d => d.trim())
    .filter(d => d !== '')
    .map(Number)
  const count = shape.reduce((n, d) => n * d, 1)
  const size = count * bytesOf[dtype]
  if (!Number.isSafeInteger(size) || size !== bytes.length - start - length)
    throw bad(`${dtype}[${shape.join(',')}] takes ${size} bytes, and ${bytes.length - start - length} follow`)
  // A copy, which is aligned; `slice` of Node's Buffer would make none.
  const { buffer } = new Uint8Array(bytes.subarray(start + length))
  return { dtype, shape, data: new arrayOf[dtype](buffer) as HostArray }
}

export const writeNpy = ({ dtype, shape, data }: Tensor): Uint8Array => {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const fields = `{'descr': '${codes[dtype]}', 'fortran_order': False, 'shape': (${dims}), }`
  // The data begins at a multiple of 64 bytes.
  const header = `${fields}${' '.repeat(63 - ((10 + fields.length) % 64))}\n`
  const bytes = new Uint8Array(10 + header.length + data.byteLength)
  bytes.set([...magic].map(c => c.charCodeAt(0)))
  bytes.set([1, 0, header.length & 255, header.length >> 8], 6)
  bytes.set(
    [...header].map(c => c.charCodeAt(0)),
    10,
  )
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length)
  return bytes
}
