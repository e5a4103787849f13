/** @file What rules ask about constants that hold one number for each channel of a convolution's or a product's result. */
import { type GraphBuilder, type Node, type Value, isGraph, ix } from '@quern/core-ir'

/** Nodes that are looked at to find whether a value is constant: those of weights are few. */
const mostNodes = 64

/** Whether a value depends on constants only. */
export const isKnown = (value: Value | undefined): boolean => {
  const seen = new Set<Node>()
  const stack = [value]
  while (stack.length > 0) {
    const node = stack.pop()?.node
    if (node === undefined || seen.size > mostNodes) return false
    if (seen.has(node)) continue
    seen.add(node)
    if (node.op !== 'constant' && node.operands.length === 0) return false
    if (Object.values(node.attrs).some(isGraph)) return false
    stack.push(...node.operands.filter(v => v !== undefined))
  }
  return true
}

/** A contraction with constant weights, whose result has channels. */
export interface Linear {
  readonly node: Node
  readonly result: Value
  readonly weight: Value
  /** The axis of the result whose places the weights know. */
  readonly axis: number
}

export const linearOf = (value: Value | undefined): Linear | undefined => {
  const node = value?.node
  const weight = node?.operands[1]
  if (node === undefined || value === undefined || weight === undefined || !isKnown(weight)) return undefined
  switch (node.op) {
    case 'conv':
    case 'conv-transpose':
      return { node, result: value, weight, axis: 1 }
    case 'matmul':
      return { node, result: value, weight, axis: value.type.shape.length - 1 }
    default:
      return undefined
  }
}

/**
 * The constant as a vector over the channels, or as a scalar where all channels share it; undefined where it varies along
 * another axis.
 */
export const channelVector = (
  b: GraphBuilder,
  value: Value | undefined,
  { result, axis }: Linear,
): Value | undefined => {
  let v = value
  while (v?.node?.op === 'broadcast') v = v.node.operands[0]
  if (v === undefined || !isKnown(v)) return undefined
  const { data } = v.node?.attrs ?? {}
  if (typeof data === 'object' && data !== null && 'values' in data && data.values.length === 1)
    return b.one('constant', [], { data, dtype: v.type.dtype, shape: [] })
  const channels = result.type.shape[axis]
  const missing = result.type.shape.length - v.type.shape.length
  const along = v.type.shape[axis - missing]
  if (channels === undefined || !ix.isConst(channels)) return undefined
  if (!v.type.shape.every((d, i) => i === axis - missing || ix.isConst(d, 1))) return undefined
  const shape = along === undefined || ix.isConst(along, 1) ? [] : [channels]
  if (shape.length === 1 && along?.key !== channels.key) return undefined
  return v.type.shape.length === shape.length ? v : b.one('reshape', [v], { shape })
}

/** Two vectors or scalars joined by an element-wise op. */
export const joined = (b: GraphBuilder, op: string, x: Value, y: Value): Value => {
  const { shape } = x.type.shape.length >= y.type.shape.length ? x.type : y.type
  const lift = (v: Value): Value => (v.type.shape.length === shape.length ? v : b.one('broadcast', [v], { shape }))
  return b.one(op, [lift(x), lift(y)])
}

/** A vector over channels, stretched over the result. */
export const spread = (b: GraphBuilder, vector: Value, { result, axis }: Linear): Value => {
  const { shape } = result.type
  const behind = shape.slice(axis + 1).map(() => ix.constant(1))
  const column =
    vector.type.shape.length === 0 || behind.length === 0
      ? vector
      : b.one('reshape', [vector], { shape: [...vector.type.shape, ...behind] })
  return b.one('broadcast', [column], { shape })
}

/** The weights, with those of each channel multiplied by its element of the vector. */
export const scaledWeight = (b: GraphBuilder, vector: Value, { node, weight }: Linear): Value => {
  const { shape } = weight.type
  const [first, second, ...kernel] = shape
  const ones = (n: number): ix.Index[] => Array.from({ length: n }, () => ix.constant(1))
  const column = (): Value => {
    if (vector.type.shape.length === 0 || first === undefined || second === undefined) return vector
    switch (node.op) {
      case 'conv':
        return b.one('reshape', [vector], { shape: [first, ...ones(shape.length - 1)] })
      case 'conv-transpose': {
        const groups = Number(node.attrs['groups'] ?? 1)
        if (groups === 1) return b.one('reshape', [vector], { shape: [second, ...ones(kernel.length)] })
        // Channels count through the groups; the weights of a group lie one after another along their first dim.
        const grouped = b.one('reshape', [vector], { shape: [groups, ix.constant(1), second].map(ix.toIndex) })
        const repeated = b.one('broadcast', [grouped], {
          shape: [ix.toIndex(groups), ix.floorDiv(first, groups), second],
        })
        return b.one('reshape', [repeated], { shape: [first, second, ...ones(kernel.length)] })
      }
      default:
        return node.attrs['transposeRhs'] === true
          ? b.one('reshape', [vector], { shape: [...vector.type.shape, ix.constant(1)] })
          : vector
    }
  }
  return b.one('mul', [weight, b.one('broadcast', [column()], { shape })])
}
