/**
 * @file How a node reads its operands, found by running its index notation on symbolic subscripts: no table of
 * element-wise ops is kept, so a new op is classified by what it means.
 */
import {
  type Index,
  type Node,
  type Operand,
  type Scalar,
  type Value,
  bindOperands,
  childrenOf,
  ix,
  logicalDim,
  opNamed,
  scalar,
  unaryOps,
  binaryOps,
} from '@quern/core-ir'

export interface Access {
  readonly operand: number
  readonly indices: readonly Index[]
  readonly guarded: boolean
}

export interface NodeAccess {
  readonly reads: readonly Access[]
  readonly reduces: boolean
  /** Whether evaluating an element costs a transcendental: not to be repeated lightly. */
  readonly expensive: boolean
  /** Subscripts that become numbers: what the value of an element owes to its place. */
  readonly positions: readonly Index[]
}

/** One element of a node's result in index notation, at subscripts `d0`, `d1`…, and every operand it reads. */
export interface NodeElement {
  readonly reads: readonly Access[]
  readonly body: Scalar
}

/** Undefined for ops without index notation (loops, control, composites). */
export const elementOf = (node: Node): NodeElement | undefined => {
  const op = opNamed(node.op)
  const result = node.results[0]
  if (op.compute === undefined || result === undefined) return undefined
  const reads: Access[] = []
  const operandOf = (value: Value, operand: number): Operand => ({
    type: value.type,
    at: (...indices) => {
      const at = indices.map(ix.toIndex)
      reads.push({ operand, indices: at, guarded: false })
      return scalar.load(`$${operand}`, value.type.dtype, at)
    },
    atOr: (indices, fill) => {
      const at = indices.map(ix.toIndex)
      reads.push({ operand, indices: at, guarded: true })
      return scalar.load(`$${operand}`, value.type.dtype, at, { guard: scalar.literal(true, 'bool'), fill })
    },
  })
  const operands = bindOperands(
    op,
    node.operands.map((v, i) => v && operandOf(v, i)),
  )
  // Attributes were validated against the op's own specs when the node was made.
  const body = op.compute(
    result.type.shape.map((_, i) => logicalDim(i)),
    operands,
    node.attrs as never,
    0,
  )
  return { reads, body }
}

/** Undefined where {@link elementOf} is. */
export const accessOf = (node: Node): NodeAccess | undefined => {
  const element = elementOf(node)
  if (element === undefined) return undefined
  const seen = { reduces: false, expensive: false }
  const positions: Index[] = []
  const visitIndex = (index: Index): void =>
    ix.visitAtoms(index, atom => {
      if (atom.kind === 'value') visit(atom.scalar)
    })
  const visit = (x: Scalar): void => {
    if (x.kind === 'index') {
      positions.push(x.index)
      visitIndex(x.index)
    }
    if (x.kind === 'load') x.indices.forEach(visitIndex)
    if (x.kind === 'reduce') seen.reduces = true
    if (x.kind === 'unary' && !unaryOps[x.op].basic) seen.expensive = true
    if (x.kind === 'binary' && !binaryOps[x.op].basic) seen.expensive = true
    childrenOf(x).forEach(visit)
  }
  visit(element.body)
  return { reads: element.reads, positions, ...seen }
}

/** Whether every read is at the output's own subscripts, of an operand of the output's shape. */
export const isElementwise = (node: Node, access: NodeAccess): boolean => {
  const shape = node.results[0]?.type.shape ?? []
  return (
    !access.reduces &&
    access.reads.every(({ operand, indices, guarded }) => {
      const from = node.operands[operand]?.type.shape ?? []
      return (
        !guarded &&
        from.length === shape.length &&
        from.every((d, i) => d.key === shape[i]?.key) &&
        indices.every((index, i) => index.key === logicalDim(i).key)
      )
    })
  )
}
