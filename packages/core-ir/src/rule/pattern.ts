/** @file Patterns over graph values: what a rule matches. */
import type { Node, Value } from '../graph/graph.ts'
import type { Match } from './rule.ts'

export type Pattern =
  | { readonly kind: 'any'; readonly name: string; readonly where?: (value: Value) => boolean }
  | {
      readonly kind: 'op'
      readonly op: string | readonly string[]
      readonly operands: readonly Pattern[]
      readonly name?: string
      readonly where?: (node: Node) => boolean
      readonly commutes?: boolean
    }

export const any = (name: string, where?: (value: Value) => boolean): Pattern => ({
  kind: 'any',
  name,
  ...(where && { where }),
})
/** A node of this op (or one of these) whose operands match; bound as `name`. */
export const node = (
  op: string | readonly string[],
  operands: readonly Pattern[],
  options: { name?: string; where?: (node: Node) => boolean; commutes?: boolean } = {},
): Pattern => ({ kind: 'op', op, operands, ...options })

/** All bindings of a pattern at a root node, or undefined. A name bound twice must be the same value. */
export const matchPattern = (pattern: Pattern, root: Node): Match | undefined => {
  const values = new Map<string, Value>(),
    nodes = new Map<string, Node>()
  const bind = (name: string, value: Value): boolean => {
    const before = values.get(name)
    if (before !== undefined) return before === value
    values.set(name, value)
    if (value.node !== undefined) nodes.set(name, value.node)
    return true
  }
  const matchNode = (p: Extract<Pattern, { kind: 'op' }>, n: Node): boolean => {
    if (typeof p.op === 'string' ? p.op !== n.op : !p.op.includes(n.op)) return false
    if (p.where !== undefined && !p.where(n)) return false
    if (p.operands.length > n.operands.length) return false
    const inOrder = (operands: readonly (Value | undefined)[]): boolean => {
      const savedValues = new Map(values),
        savedNodes = new Map(nodes)
      if (p.operands.every((q, i) => matchValue(q, operands[i]))) return true
      values.clear()
      savedValues.forEach((v, k) => values.set(k, v))
      nodes.clear()
      savedNodes.forEach((v, k) => nodes.set(k, v))
      return false
    }
    return inOrder(n.operands) || (p.commutes === true && inOrder([...n.operands].reverse()))
  }
  const matchValue = (p: Pattern, value: Value | undefined): boolean => {
    if (value === undefined) return false
    if (p.kind === 'any') return (p.where === undefined || p.where(value)) && bind(p.name, value)
    return value.node !== undefined && matchNode(p, value.node) && (p.name === undefined || bind(p.name, value))
  }
  const [first] = root.results
  if (pattern.kind !== 'op' || first === undefined || !matchNode(pattern, root)) return undefined
  if (pattern.name !== undefined) {
    values.set(pattern.name, first)
    nodes.set(pattern.name, root)
  }
  return { values: Object.fromEntries(values), nodes: Object.fromEntries(nodes), root }
}
