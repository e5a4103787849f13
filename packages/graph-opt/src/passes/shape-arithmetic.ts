/**
 * @file Integers that are expressions over dims leave the graph: ops that take a shape as a tensor take it as an attribute,
 * and what is still needed as data becomes constants and dim values. What fed them is dead then.
 */
import type { DType } from '@quern/artifact'
import {
  type Graph,
  type GraphBuilder,
  type Index,
  type Node,
  ShapeElements,
  type Value,
  copyNode,
  isGraph,
  ix,
  symbolRanges,
  transformGraph,
} from '@quern/core-ir'
import type { Pass, PassContext } from './pass.ts'

/** Ops that take a shape as a tensor, and those that take it as an attribute. Types are inferred with what it holds. */
const withAttribute: Readonly<Record<string, string>> = { 'reshape-to': 'reshape', 'broadcast-to': 'broadcast' }

/** What the pass itself writes, and what only moves elements of that: nothing is gained by writing it again. */
const plain: ReadonlySet<string> = new Set(['constant', 'dim-value', 'iota', 'reshape', 'broadcast', 'concat'])

const integers: ReadonlySet<DType> = new Set<DType>(['i64', 'i32', 'u64', 'u32', 'i16', 'u16', 'i8', 'u8'])

/** The elements as one constant, or as dim values side by side. */
const write = (b: GraphBuilder, elements: readonly Index[], { type, name }: Value): Value => {
  const { dtype, shape } = type
  const values = elements.flatMap(x => (ix.isConst(x) ? [x.value] : []))
  const wide = dtype === 'i64' || dtype === 'u64'
  const constant = (list: readonly number[], extents: readonly number[]): Value =>
    b.one(
      'constant',
      [],
      { data: { kind: 'inline', values: wide ? list.map(BigInt) : list }, dtype, shape: extents },
      name,
    )
  if (values.length === elements.length)
    return constant(
      values,
      shape.map(d => ix.evaluateIndex(d, new Map())),
    )
  const parts = elements.map(x =>
    ix.isConst(x) ? constant([x.value], []) : b.one('dim-value', [], { value: x, dtype }, name),
  )
  const [only] = parts
  if (only !== undefined && shape.length === 0) return only
  const row = parts.map(p => b.one('reshape', [p], { shape: [ix.constant(1)] }))
  const [first] = row
  const joined = row.length === 1 && first !== undefined ? first : b.one('concat', row)
  return shape.length === 1 ? joined : b.one('reshape', [joined], { shape })
}

const resolve = (graph: Graph, context: PassContext): Graph => {
  const known = new ShapeElements(symbolRanges(graph.symbols))
  const elementsOf = (value: Value | undefined): readonly Index[] | undefined =>
    value !== undefined && integers.has(value.type.dtype) ? known.of(value) : undefined
  const note = (rule: string, node: Node): void => context.note([{ rule, at: node.origin, op: node.op }])
  return transformGraph(graph, (node, operands, b) => {
    const types = node.results.map(r => r.type)
    if (Object.values(node.attrs).some(isGraph)) return copyNode(node, operands, b, g => resolve(g, context))
    const [result] = node.results
    if (result === undefined) return undefined
    const named = withAttribute[node.op]
    if (named !== undefined) {
      note('shape-as-attribute', node)
      return b.addTyped(named, operands.slice(0, 1), { shape: result.type.shape }, types, result.name)
    }
    if (node.results.length !== 1) return undefined
    // A dim that is a number is one in any dtype.
    const { value } = node.attrs
    if (
      node.op === 'dim-value' &&
      typeof value === 'object' &&
      value !== null &&
      'kind' in value &&
      value.kind === 'const'
    )
      return result.type.dtype === 'f16' ? undefined : [write(b, [value], result)]
    const elements = plain.has(node.op) ? undefined : elementsOf(result)
    if (elements === undefined) return undefined
    note('shape-arithmetic', node)
    return [write(b, elements, result)]
  })
}

export const shapeArithmetic: Pass = {
  name: 'shape-arithmetic',
  doc: 'Integers that are expressions over dims become attributes, constants and dim values; tensors of shapes disappear.',
  run: resolve,
}
