/** @file Writes the few ONNX messages that the peers' models need (onnx.proto3 field numbers). */
type Field = readonly [number, number | string | Uint8Array]

const varint = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return bytes
}

const message = (...fields: readonly Field[]): Uint8Array => {
  const bytes: number[] = []
  for (const [tag, value] of fields) {
    if (typeof value === 'number') bytes.push(...varint(tag << 3), ...varint(value))
    else {
      const body = typeof value === 'string' ? new TextEncoder().encode(value) : value
      bytes.push(...varint((tag << 3) | 2), ...varint(body.length), ...body)
    }
  }
  return Uint8Array.from(bytes)
}

const valueInfo = (name: string, shape: readonly (number | string)[]): Uint8Array => {
  const dims = shape.map((d): Field => [1, typeof d === 'number' ? message([1, d]) : message([2, d])])
  const float = 1
  return message([1, name], [2, message([1, message([1, float], [2, message(...dims)])])])
}

export interface OnnxNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly output: string
}

/** An f32 model, opset 17. */
export const onnxModel = (
  inputs: Readonly<Record<string, readonly (number | string)[]>>,
  nodes: readonly OnnxNode[],
  output: readonly [string, readonly (number | string)[]],
): Uint8Array => {
  const graph = message(
    ...nodes.map((n): Field => [1, message(...n.inputs.map((i): Field => [1, i]), [2, n.output], [4, n.op])]),
    [2, 'graph'],
    ...Object.entries(inputs).map(([name, shape]): Field => [11, valueInfo(name, shape)]),
    [12, valueInfo(...output)],
  )
  return message([1, 8], [7, graph], [8, message([1, ''], [2, 17])])
}
