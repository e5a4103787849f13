/**
 * @file Finds the dim along which a graph's rows are independent: a batch. Then a run of many rows may be cut into runs of
 * few, whose data stays in the cache and whose arena is small.
 */
import { type Graph, type Index, type Node, type Scalar, type Value, childrenOf, ix, logicalDim } from '@quern/core-ir'
import { decomposeComposites } from '../passes/decompose.ts'
import { elementOf } from '../regions/access.ts'

/**
 * @returns the symbol n for which row i of every output (its first dim is n) depends on row i of the inputs alone, and on
 * inputs without n; undefined where there is none, or where this cannot be seen: states, control flow, ops without index notation
 */
export const independentRows = (graph: Graph): string | undefined => {
  const [first] = graph.outputs
  const dim = first?.value.type.shape[0]
  if (dim?.kind !== 'var') return undefined
  // Each round would update a state anew.
  if (graph.inputs.some(i => i.name.startsWith('state:'))) return undefined
  const primitive = decomposeComposites(graph, () => false)
  const symbol = dim.name
  const values = [...primitive.inputs.map(i => i.value), ...primitive.nodes.flatMap(n => n.results)]
  if (!values.every(v => isRowwise(v, symbol) || !mentionsDim(v, symbol))) return undefined
  if (!primitive.inputs.some(i => isRowwise(i.value, symbol))) return undefined
  if (!primitive.outputs.every(o => isRowwise(o.value, symbol))) return undefined
  return primitive.nodes.every(n => keepsRows(n, symbol)) ? symbol : undefined
}

/** Whether the value has n rows, and n in no other dim. */
const isRowwise = ({ type: { shape } }: Value, symbol: string): boolean => {
  const [first, ...rest] = shape
  return first?.kind === 'var' && first.name === symbol && !rest.some(d => mentions(d, new Set([symbol])))
}
const mentionsDim = (v: Value, symbol: string): boolean => v.type.shape.some(d => mentions(d, new Set([symbol])))

const keepsRows = (node: Node, symbol: string): boolean => {
  if (node.op === 'constant') return true
  const operands = node.operands.filter(v => v !== undefined)
  const [result] = node.results
  if (result === undefined) return false
  // The same number of rows before and after, in row-major order: row i stays row i.
  if (node.op === 'reshape') return operands.every(v => isRowwise(v, symbol) === isRowwise(result, symbol))
  const element = elementOf(node)
  if (element === undefined || node.results.length !== 1)
    return [...operands, ...node.results].every(v => !isRowwise(v, symbol))
  const row = logicalDim(0)
  const positional = new Set(isRowwise(result, symbol) ? [symbol, row.key] : [symbol])
  const ofRow = (operand: number): boolean => {
    const value = node.operands[operand]
    return value !== undefined && isRowwise(value, symbol)
  }
  // Row i of what has rows, and nothing that depends on where a row stands or on how many there are.
  return (
    element.reads.every(({ operand, indices }) => {
      const [at, ...rest] = ofRow(operand) ? indices : [row, ...indices]
      return (
        at !== undefined &&
        at.key === row.key &&
        (isRowwise(result, symbol) || !ofRow(operand)) &&
        !rest.some(i => mentions(i, positional))
      )
    }) && !dependsOnPlace(element.body, positional)
  )
}

/** Whether an expression depends on a variable other than through the subscripts of its loads, which are looked at apart. */
const dependsOnPlace = (x: Scalar, variables: ReadonlySet<string>): boolean => {
  if (x.kind === 'index') return mentions(x.index, variables)
  if (x.kind === 'reduce' && x.axes.some(a => mentions(a.extent, variables))) return true
  if (x.kind === 'load') return x.fill !== undefined && dependsOnPlace(x.fill, variables)
  return childrenOf(x).some(c => dependsOnPlace(c, variables))
}

const mentions = (x: Index, variables: ReadonlySet<string>): boolean => {
  let found = false
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'var' && variables.has(atom.name)) found = true
    if (atom.kind === 'value' && dependsOnPlace(atom.scalar, variables)) found = true
  })
  return found
}
