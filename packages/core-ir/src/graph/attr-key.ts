/** @file A key of a node's meaning, for common subexpressions: op, operands and attributes; never its origin. */
import type { AttrValue, Node, Value } from './graph.ts'

/** Undefined for attributes that hold graphs: such nodes are never merged. */
export const attrKey = (value: AttrValue): string | undefined => {
  if (value === null || typeof value !== 'object')
    return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : `${typeof value}:${String(value)}`
  if (isList(value)) {
    const keys = value.map(attrKey)
    return keys.includes(undefined) ? undefined : `[${keys.join(',')}]`
  }
  switch (value.kind) {
    case 'graph':
      return undefined
    case 'inline':
      return `inline(${value.values.map(v => (Object.is(v, -0) ? '-0' : String(v))).join(',')})`
    case 'bytes':
      return `bytes(${value.source}@${value.offset}+${value.length})`
    default:
      return value.key
  }
}
const isList = (value: AttrValue & object): value is readonly AttrValue[] => Array.isArray(value)

export const nodeKey = (node: Node, idOf: (value: Value) => number): string | undefined => {
  const attrs = Object.entries(node.attrs).map(([name, value]) => [name, attrKey(value)] as const)
  if (attrs.some(([, key]) => key === undefined)) return undefined
  const operands = node.operands.map(v => (v === undefined ? '_' : idOf(v)))
  const types = node.results.map(r => `${r.type.dtype}[${r.type.shape.map(d => d.key).join(',')}]`)
  return `${node.op}(${operands.join(',')}){${attrs.map(([n, k]) => `${n}=${k}`).join(',')}}:${types.join(';')}`
}
