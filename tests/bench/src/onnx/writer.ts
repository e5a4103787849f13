/** @file Writes ONNX models of opset 20: the few messages that the peers' models need (field numbers of onnx.proto3). */
import { elements } from '../networks/weights.ts'
import { type Field, type Message, joined, message } from './messages.ts'

type Attribute = number | string | readonly number[] | { readonly float: number }
type Data = Float32Array | Int32Array | BigInt64Array

const elementTypes = { Float32Array: 1, Int32Array: 6, BigInt64Array: 7 } as const
const elementType = (data: Data): number =>
  data instanceof Float32Array
    ? elementTypes.Float32Array
    : data instanceof Int32Array
      ? elementTypes.Int32Array
      : elementTypes.BigInt64Array

const attribute = (name: string, value: Attribute): Message => {
  if (typeof value === 'number') return message([1, name], [3, value], [20, 2])
  if (typeof value === 'string') return message([1, name], [4, value], [20, 3])
  if ('float' in value) return message([1, name], [2, value], [20, 1])
  return message([1, name], ...value.map((v): Field => [8, v]), [20, 7])
}

const valueInfo = (name: string, type: number, shape: readonly number[]): Message => {
  const dims = shape.map((d): Field => [1, message([1, d])])
  return message([1, name], [2, message([1, message([1, type], [2, message(...dims)])])])
}

export interface OnnxGraph {
  input(name: string, shape: readonly number[], type?: 'f32' | 'i32'): string
  /** An initializer. */
  weight(name: string, shape: readonly number[], data: Data): string
  /** A node of one result; an absent optional input is ''. */
  op(type: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string
  /** A node of several results. */
  ops(
    type: string,
    inputs: readonly string[],
    results: number,
    attributes?: Readonly<Record<string, Attribute>>,
  ): readonly string[]
  /** Names a value of the graph as an output. */
  output(name: string, value: string, shape: readonly number[]): void
  /** A list of integers, as Reshape and Slice take them. */
  integers(values: readonly number[]): string
  scalar(value: number): string
  bytes(): Uint8Array<ArrayBuffer>
}

export const onnxGraph = (): OnnxGraph => {
  const nodes: Field[] = [],
    initializers: Field[] = [],
    inputs: Field[] = [],
    outputs: Field[] = []
  let count = 0
  const graph: OnnxGraph = {
    input(name, shape, type = 'f32') {
      inputs.push([11, valueInfo(name, elementTypes[type === 'f32' ? 'Float32Array' : 'Int32Array'], shape)])
      return name
    },
    weight(name, shape, data) {
      if (elements(shape) !== data.length) throw new Error(`${name}: [${shape.join()}] does not hold ${data.length}`)
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      initializers.push([5, message(...shape.map((d): Field => [1, d]), [2, elementType(data)], [8, name], [9, bytes])])
      return name
    },
    op: (type, operands, attributes) => graph.ops(type, operands, 1, attributes)[0] ?? '',
    ops(type, operands, results, attributes = {}) {
      const names = Array.from({ length: results }, () => `v${count++}`)
      nodes.push([
        1,
        message(
          ...operands.map((i): Field => [1, i]),
          ...names.map((o): Field => [2, o]),
          [3, `n${nodes.length}`],
          [4, type],
          ...Object.entries(attributes).map(([name, value]): Field => [5, attribute(name, value)]),
        ),
      ])
      return names
    },
    output(name, value, shape) {
      nodes.push([1, message([1, value], [2, name], [3, `n${nodes.length}`], [4, 'Identity'])])
      outputs.push([12, valueInfo(name, 1, shape)])
    },
    integers: values => graph.weight(`c${count++}`, [values.length], BigInt64Array.from(values, BigInt)),
    scalar: value => graph.weight(`c${count++}`, [], Float32Array.of(value)),
    bytes: () =>
      joined(
        message(
          [1, 9],
          [7, message(...nodes, [2, 'graph'], ...initializers, ...inputs, ...outputs)],
          [8, message([1, ''], [2, 20])],
        ),
      ),
  }
  return graph
}
