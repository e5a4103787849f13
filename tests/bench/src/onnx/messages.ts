/** @file Protocol buffer messages, as lists of chunks, so that weights are copied once. */
export interface Message {
  readonly length: number
  readonly chunks: readonly Uint8Array[]
}
type Value = number | string | Uint8Array | Message
export type Field = readonly [tag: number, value: Value | { readonly float: number }]

const varint = (value: number): number[] => {
  const bytes: number[] = []
  // Negative ones as two's complement of 64 bits.
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return bytes
}

export const message = (...fields: readonly Field[]): Message => {
  const chunks: Uint8Array[] = []
  for (const [tag, value] of fields) {
    if (typeof value === 'number') chunks.push(Uint8Array.from([...varint(tag << 3), ...varint(value)]))
    else if (typeof value === 'object' && 'float' in value) {
      const bytes = new Uint8Array(Float32Array.of(value.float).buffer)
      chunks.push(Uint8Array.from([...varint((tag << 3) | 5), ...bytes]))
    } else {
      const body: Message =
        typeof value === 'string'
          ? bytesMessage(new TextEncoder().encode(value))
          : value instanceof Uint8Array
            ? bytesMessage(value)
            : value
      chunks.push(Uint8Array.from([...varint((tag << 3) | 2), ...varint(body.length)]), ...body.chunks)
    }
  }
  return { length: chunks.reduce((n, c) => n + c.length, 0), chunks }
}
const bytesMessage = (bytes: Uint8Array): Message => ({ length: bytes.length, chunks: [bytes] })

export const joined = ({ length, chunks }: Message): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
