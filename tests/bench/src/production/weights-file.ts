/** @file One file of weights for the peers that have no format of their own: a length, a JSON header, f32 data. */
import type { NumericArray, Weights } from '../networks/weights.ts'

export const writeWeights = (weights: Weights): Uint8Array => {
  const header = new TextEncoder().encode(
    JSON.stringify(Object.entries(weights).map(([name, { shape }]) => [name, shape])).padEnd(4),
  )
  const start = 4 + Math.ceil(header.length / 4) * 4
  const bytes = new Uint8Array(start + Object.values(weights).reduce((n, w) => n + w.data.byteLength, 0))
  new DataView(bytes.buffer).setUint32(0, header.length, true)
  bytes.set(header, 4)
  let at = start
  for (const { data } of Object.values(weights)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

export const readWeights = (buffer: ArrayBuffer): Weights => {
  const length = new DataView(buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) as readonly (readonly [
    string,
    readonly number[],
  ])[]
  let at = 4 + Math.ceil(length / 4) * 4
  return Object.fromEntries(
    header.map(([name, shape]): [string, NumericArray] => {
      const data = new Float32Array(
        buffer,
        at,
        shape.reduce((p, d) => p * d, 1),
      )
      at += data.byteLength
      return [name, { shape, data }]
    }),
  )
}
