/** @file What every step of lowering one region knows: ids and definitions of its values, and which of them are stored. */
import { type Graph, type Node, type Scalar, type Value, opNamed, visitLoads } from '@quern/core-ir'
import { type Accumulator, type Definition, defineValue } from './definition.ts'
import { mapScalar } from './map-scalar.ts'

export interface RegionContext {
  readonly graph: Graph
  readonly idOf: (value: Value) => string
  readonly valueOf: (id: string) => Value | undefined
  /** Values that are one literal: small constants. */
  readonly literals: ReadonlyMap<Value, Scalar>
  /** undefined for inputs, literals, stored constants and results of loop-language semantics. */
  readonly definitionOf: (value: Value) => Definition | undefined
  readonly accumulatorOf: (id: string) => { readonly accumulator: Accumulator; readonly owner: Value } | undefined
  /** Loads of each value over all definitions of the region. */
  readonly uses: ReadonlyMap<string, number>
}

export const regionContext = (graph: Graph, literals: ReadonlyMap<Value, Scalar>): RegionContext => {
  const ids = new Map<Value, string>()
  const values = new Map<string, Value>()
  const name = (v: Value): void => {
    const id = `%${ids.size}`
    ids.set(v, id)
    values.set(id, v)
  }
  for (const { value } of graph.inputs) name(value)
  for (const node of graph.nodes) for (const v of node.results) name(v)
  const idOf = (v: Value): string => {
    const id = ids.get(v)
    if (id === undefined) throw new Error(`${graph.name} uses a value of another graph`)
    return id
  }
  const definitions = new Map<Value, Definition>()
  const accumulators = new Map<string, { accumulator: Accumulator; owner: Value }>()
  const uses = new Map<string, number>()
  const count = (s: Scalar): void =>
    visitLoads(s, l => {
      uses.set(l.buffer, (uses.get(l.buffer) ?? 0) + 1)
    })
  for (const node of graph.nodes) {
    if (opNamed(node.op).compute === undefined) continue
    for (const value of node.results) {
      if (literals.has(value)) continue
      const definition = withLiterals(defineValue(value, node, idOf), values, literals)
      definitions.set(value, definition)
      count(definition.scalar)
      for (const a of definition.accumulators) {
        accumulators.set(a.id, { accumulator: a, owner: value })
        count(a.body)
      }
    }
  }
  return {
    graph,
    idOf,
    literals,
    uses,
    valueOf: id => values.get(id),
    definitionOf: v => definitions.get(v),
    accumulatorOf: id => accumulators.get(id),
  }
}

/** Puts literals in the place of their loads. */
const withLiterals = (
  d: Definition,
  values: ReadonlyMap<string, Value>,
  literals: ReadonlyMap<Value, Scalar>,
): Definition => {
  if (literals.size === 0) return d
  const put = (x: Scalar): Scalar =>
    mapScalar(x, s => {
      if (s.kind !== 'load' || s.guard !== undefined) return undefined
      const value = values.get(s.buffer)
      return value === undefined ? undefined : literals.get(value)
    })
  return { ...d, scalar: put(d.scalar), accumulators: d.accumulators.map(a => ({ ...a, body: put(a.body) })) }
}

export const isLoops = (node: Node): boolean => opNamed(node.op).class === 'loops'
