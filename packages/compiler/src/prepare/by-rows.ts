/**
 * @file Makes a graph of constants run over any number of rows at a time, where each row of its results needs that row of
 * some constants and the whole of others. So what a large weight is made into is computed piece by piece.
 */
import { isQuernError } from '@quern/artifact'
import {
  type Graph,
  GraphBuilder,
  type Index,
  type Node,
  type TensorType,
  type Value,
  ix,
  opNamed,
} from '@quern/core-ir'
import { accessOf } from '@quern/graph-opt'

export const rowsSymbol = 'rows'

export interface ByRows {
  /** Stored constants are inputs, in the order of `inputs`. */
  readonly graph: Graph
  /** How many rows there are in all; undefined where everything is computed at once. */
  readonly rows: number | undefined
  /** The stored constants behind the graph's inputs, and whether each is read by rows. */
  readonly inputs: readonly { readonly node: Node; readonly byRows: boolean }[]
}

const firstDim = (type: TensorType): number | undefined => {
  const [d] = type.shape
  return d !== undefined && ix.isConst(d) ? d.value : undefined
}

const mentions = (x: Index, name: string): boolean => {
  let found = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'var' && atom.name === name) found = true
  })
  return found
}

type Demand = 'rows' | 'all'

/**
 * What a row of a node's result needs of its operands, found from its index notation; undefined where a row needs other
 * rows, or its own number.
 */
const demandsOf = (node: Node, rows: number): ReadonlyMap<Value, Demand> | undefined => {
  if (node.results.length !== 1) return undefined
  const access = accessOf(node)
  if (access === undefined || access.positions.some(p => mentions(p, 'd0'))) return undefined
  const demands = new Map<Value, Demand>()
  for (const { operand, indices } of access.reads) {
    const value = node.operands[operand]
    if (value === undefined) return undefined
    const [first, ...rest] = indices
    if (rest.some(x => mentions(x, 'd0'))) return undefined
    const byRow = first?.kind === 'var' && first.name === 'd0' && firstDim(value.type) === rows
    if (!byRow && first !== undefined && mentions(first, 'd0')) return undefined
    const demand = byRow ? 'rows' : 'all'
    if ((demands.get(value) ?? demand) !== demand) return undefined
    demands.set(value, demand)
  }
  return demands
}

/** What every value of the graph is needed as, or undefined where rows cannot be told apart. */
const allDemands = (graph: Graph, rows: number): ReadonlyMap<Value, Demand> | undefined => {
  const all = new Map<Value, Demand>()
  const ask = (value: Value, demand: Demand): boolean => {
    const before = all.get(value) ?? demand
    all.set(value, demand)
    return before === demand
  }
  if (!graph.outputs.every(({ value }) => firstDim(value.type) === rows && ask(value, 'rows'))) return undefined
  for (const node of [...graph.nodes].reverse()) {
    const [result] = node.results
    const demand = result && all.get(result)
    if (node.op === 'constant' || demand === undefined) continue
    const wanted =
      demand === 'rows' ? demandsOf(node, rows) : new Map(node.operands.flatMap(v => (v ? [[v, 'all' as const]] : [])))
    if (wanted === undefined || ![...wanted].every(([v, d]) => ask(v, d))) return undefined
  }
  return all
}

/** A value repeated in full where it is stored as one number keeps its meaning for fewer rows. */
const isFilled = (node: Node): boolean => {
  const { data } = node.attrs
  return typeof data === 'object' && data !== null && 'values' in data && data.values.length === 1
}

const withRows = (shape: readonly Index[]): Index[] => [ix.variable(rowsSymbol), ...shape.slice(1)]

const rebuild = (graph: Graph, rows: number | undefined, demands: ReadonlyMap<Value, Demand>): ByRows => {
  const b = new GraphBuilder(graph.name)
  if (rows !== undefined) b.declare({ name: rowsSymbol, min: 1, max: rows, multipleOf: 1 })
  const copies = new Map<Value, Value>()
  const inputs: { node: Node; byRows: boolean }[] = []
  for (const node of graph.nodes) {
    b.origin = node.origin
    const [result] = node.results
    const byRows = result !== undefined && demands.get(result) === 'rows'
    const { data } = node.attrs
    const stored = typeof data === 'object' && data !== null && 'kind' in data && data.kind === 'bytes'
    if (node.op === 'constant' && result !== undefined && (stored || (byRows && !isFilled(node)))) {
      const { dtype, shape } = result.type
      copies.set(result, b.input(`c${inputs.length}`, { dtype, shape: byRows ? withRows(shape) : shape }))
      inputs.push({ node, byRows })
      continue
    }
    const operands = node.operands.map(v => v && copies.get(v))
    if (!byRows) {
      const made = b.addTyped(
        node.op,
        operands,
        node.attrs,
        node.results.map(r => r.type),
      )
      node.results.forEach((r, i) => made[i] && copies.set(r, made[i]))
    } else if (node.op === 'constant') {
      const one = b.addTyped('constant', [], { ...node.attrs, shape: [] }, [{ ...result.type, shape: [] }])[0]
      copies.set(result, b.one('broadcast', [one], { shape: withRows(result.type.shape) }))
    } else {
      // Attributes that name the result's dims name the symbol now.
      const attrs = Object.fromEntries(
        Object.entries(node.attrs).map(([name, value]) => {
          const dims =
            opNamed(node.op).attrs[name]?.kind === 'dims' && Array.isArray(value)
              ? (value as readonly Index[])
              : undefined
          const names =
            dims?.length === result.type.shape.length && dims[0] !== undefined && ix.isConst(dims[0], rows ?? -1)
          return [name, names && dims !== undefined ? withRows(dims) : value]
        }),
      )
      copies.set(result, b.one(node.op, operands, attrs))
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => [name, copies.get(value) as Value] as const)
  return { graph: b.finish(Object.fromEntries(outputs)), rows, inputs }
}

export const byRows = (graph: Graph): ByRows => {
  const whole = (): ByRows => rebuild(graph, undefined, new Map())
  const rows = graph.outputs[0] && firstDim(graph.outputs[0].value.type)
  if (rows === undefined || rows < 2) return whole()
  const demands = allDemands(graph, rows)
  if (demands === undefined) return whole()
  try {
    const result = rebuild(graph, rows, demands)
    const keep = result.graph.outputs.every(({ value: { type } }, i) => {
      const before = graph.outputs[i]?.value.type.shape ?? []
      return (
        type.shape.length === before.length &&
        type.shape.every((d, axis) => d.key === (axis === 0 ? rowsSymbol : before[axis]?.key))
      )
    })
    return keep ? result : whole()
  } catch (error) {
    // A constraint that holds for the number of rows need not hold for any number of them.
    if (!isQuernError(error)) throw error
    return whole()
  }
}
