/**
 * @file Rules that move products and sums with one constant for each channel into the weights and the bias before them: what
 * batch normalisation leaves behind a convolution. They change how results round, hence `algebraic`.
 */
import {
  type GraphBuilder,
  type Match,
  type RewriteContext,
  type Value,
  any,
  isFloat,
  node,
  rule,
} from '@quern/core-ir'
import { type Linear, channelVector, joined, linearOf, scaledWeight, spread } from './channel-constants.ts'

/** A linear op, or the sum of one and a constant for each channel. */
interface Affine {
  readonly linear: Linear
  readonly shift: Value | undefined
}

const affineOf = (b: GraphBuilder, value: Value | undefined, { usedOnce }: RewriteContext): Affine | undefined => {
  // Elsewhere the unscaled result is needed too, and would have to be computed as well.
  if (value === undefined || !isFloat(value.type.dtype) || !usedOnce(value)) return undefined
  const linear = linearOf(value)
  if (linear !== undefined) return { linear, shift: undefined }
  if (value.node?.op !== 'add') return undefined
  const [p, q] = value.node.operands
  for (const [of, by] of [
    [p, q],
    [q, p],
  ]) {
    const inner = linearOf(of)
    if (inner === undefined || !usedOnce(inner.result)) continue
    const shift = channelVector(b, by, inner)
    if (shift !== undefined) return { linear: inner, shift }
  }
  return undefined
}

const withScale = (b: GraphBuilder, linear: Linear, vector: Value): Linear => {
  const here = b.origin
  b.origin = linear.node.origin
  const weight = scaledWeight(b, vector, linear)
  const [result] = b.addTyped(
    linear.node.op,
    [linear.node.operands[0], weight],
    linear.node.attrs,
    [linear.result.type],
    linear.result.name,
  )
  b.origin = here
  if (result?.node === undefined) throw new Error(`${linear.node.op} has one result`)
  return { ...linear, node: result.node, result, weight }
}

const shifted = (b: GraphBuilder, linear: Linear, shift: Value | undefined): Value =>
  shift === undefined ? linear.result : b.one('add', [linear.result, spread(b, shift, linear)])

/** The same type as the root had: its other operand may have written equal dims in another way. */
const sameType = (value: Value, { root }: Match): boolean =>
  root.results[0]?.type.shape.every((d, i) => d.key === value.type.shape[i]?.key) ?? false

/** Finds the affine operand of the root and the vector of the other. */
const operandsOf = (
  b: GraphBuilder,
  match: Match,
  context: RewriteContext,
): (Affine & { readonly by: Value }) | undefined => {
  const { x, by } = match.values
  const affine = affineOf(b, x, context)
  const vector = affine && channelVector(b, by, affine.linear)
  return affine === undefined || vector === undefined || !sameType(affine.linear.result, match)
    ? undefined
    : { ...affine, by: vector }
}

export const foldScale = rule({
  name: 'fold-scale',
  doc: '(conv(x, w) + b) · s → conv(x, w · s) + b · s, for constants w, b and s; likewise conv-transpose and matmul',
  numerics: 'algebraic',
  match: node('mul', [any('x'), any('by')]),
  rewrite: (b, match, context) => {
    const found = operandsOf(b, match, context) ?? operandsOf(b, swapped(match), context)
    if (found === undefined) return undefined
    const { linear, shift, by } = found
    return [shifted(b, withScale(b, linear, by), shift && joined(b, 'mul', shift, by))]
  },
})

export const foldDivisor = rule({
  name: 'fold-divisor',
  doc: '(conv(x, w) + b) / s → conv(x, w · (1 / s)) + b / s, for constants w, b and s; likewise conv-transpose and matmul',
  numerics: 'algebraic',
  match: node('div', [any('x'), any('by')]),
  rewrite: (b, match, context) => {
    const found = operandsOf(b, match, context)
    if (found === undefined) return undefined
    const { linear, shift, by } = found
    const one = b.one('constant', [], { data: { kind: 'inline', values: [1] }, dtype: by.type.dtype, shape: [] })
    return [shifted(b, withScale(b, linear, joined(b, 'div', one, by)), shift && joined(b, 'div', shift, by))]
  },
})

export const joinShifts = rule({
  name: 'join-shifts',
  doc: '(conv(x, w) + b) + c → conv(x, w) + (b + c), for constants w, b and c; likewise conv-transpose and matmul',
  numerics: 'algebraic',
  match: node('add', [any('x'), any('by')]),
  rewrite: (b, match, context) => {
    const found = operandsOf(b, match, context) ?? operandsOf(b, swapped(match), context)
    if (found?.shift === undefined) return undefined
    return [shifted(b, found.linear, joined(b, 'add', found.shift, found.by))]
  },
})

export const shiftByDifference = rule({
  name: 'shift-by-difference',
  doc: '(conv(x, w) + b) − c → conv(x, w) + (b − c), for constants w, b and c; likewise conv-transpose and matmul',
  numerics: 'algebraic',
  match: node('sub', [any('x'), any('by')]),
  rewrite: (b, match, context) => {
    const found = operandsOf(b, match, context)
    if (found === undefined) return undefined
    const { linear, shift, by } = found
    return [shifted(b, linear, shift === undefined ? b.one('neg', [by]) : joined(b, 'sub', shift, by))]
  },
})

const swapped = (match: Match): Match => {
  const { x, by } = match.values
  return { ...match, values: { ...match.values, ...(by && { x: by }), ...(x && { by: x }) } }
}

export const foldScaleRules = [foldScale, foldDivisor, joinShifts, shiftByDifference]
