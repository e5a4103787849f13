/**
 * @file The meaning of each value of a region as scalar expressions: an op's index notation, instantiated once, with
 * operands as loads from pseudo-buffers (one name a value), and every reduction taken out as an accumulator.
 */
import {
  type AccumulateOp,
  type AnyOp,
  type Node,
  type Operand,
  type ReduceAxis,
  type Scalar,
  type TensorType,
  type Value,
  bindOperands,
  ix,
  opNamed,
  scalar as sc,
} from '@quern/core-ir'
import { argReduction, candidate, positionFrom } from './arg-reduction.ts'
import { mapScalar } from './map-scalar.ts'

/** A reduction over a private buffer. `axes` index the buffer; `body` is over `axes` and `reduceAxes`. */
export interface Accumulator {
  /** Pseudo-buffer of the result. */
  readonly id: string
  readonly reducer: AccumulateOp
  readonly dtype: Scalar['dtype']
  readonly axes: readonly ReduceAxis[]
  readonly reduceAxes: readonly ReduceAxis[]
  readonly body: Scalar
}

export interface Definition {
  readonly value: Value
  readonly axes: readonly ReduceAxis[]
  /** Over `axes`, with loads of pseudo-buffers: values by id, accumulators by theirs. */
  readonly scalar: Scalar
  readonly accumulators: readonly Accumulator[]
}

export type IdOf = (value: Value) => string

/** The axes that index a value. */
export const outAxes = (type: TensorType): ReduceAxis[] => type.shape.map((extent, i) => ({ name: `$o${i}`, extent }))

/** An operand whose elements are loads from a pseudo-buffer. Guards that cannot fail are dropped where axes are known. */
export const pseudoOperand = (id: string, type: TensorType): Operand => ({
  type,
  at: (...indices) => sc.load(id, type.dtype, indices.map(ix.toIndex)),
  atOr: (indices, fill) => {
    const at = indices.map(ix.toIndex)
    const inside = at.flatMap((index, i) => [
      sc.binary('ge', sc.indexScalar(index), sc.literal(0, 'i32')),
      sc.binary('lt', sc.indexScalar(index), sc.indexScalar(type.shape[i] ?? ix.constant(0))),
    ])
    const [first, ...rest] = inside
    if (first === undefined) return sc.load(id, type.dtype, at)
    return sc.load(id, type.dtype, at, { guard: rest.reduce((a, b) => sc.binary('and', a, b), first), fill })
  },
})

/** The definition of one result of an op written in index notation. */
export const defineValue = (value: Value, node: Node, idOf: IdOf): Definition => {
  const op: AnyOp = opNamed(node.op)
  if (op.compute === undefined) throw new Error(`${node.op} has no index notation`)
  const axes = outAxes(value.type)
  const whole = op.compute(
    axes.map(a => ix.variable(a.name)),
    bindOperands(
      op,
      node.operands.map(v => v && pseudoOperand(idOf(v), v.type)),
    ),
    node.attrs,
    value.index,
  )
  const accumulators: Accumulator[] = []
  const scalar = takeReductions(whole, axes, `${idOf(value)}#`, accumulators)
  return { value, axes, scalar, accumulators }
}

/** Replaces each `reduce`, innermost first, by a load of an accumulator that the enclosing axes index. */
const takeReductions = (x: Scalar, axes: readonly ReduceAxis[], prefix: string, found: Accumulator[]): Scalar => {
  const accumulated = (reducer: AccumulateOp, reduceAxes: readonly ReduceAxis[], term: Scalar): Scalar => {
    // Halves are added as singles and rounded once: in halves, 1 added to 2,048 is 2,048.
    const wide = term.dtype === 'f16' && (reducer === 'sum' || reducer === 'prod')
    const body = wide ? sc.cast(term, 'f32') : term
    const known = found.find(
      f => f.reducer === reducer && f.body.key === body.key && sameAxes(f.reduceAxes, reduceAxes),
    )
    const id = known?.id ?? `${prefix}${found.length}`
    if (known === undefined) found.push({ id, reducer, dtype: body.dtype, axes, reduceAxes, body })
    const sum = sc.load(
      id,
      body.dtype,
      axes.map(a => ix.variable(a.name)),
    )
    return wide ? sc.cast(sum, 'f16') : sum
  }
  return mapScalar(x, s => {
    if (s.kind !== 'reduce') return undefined
    const taken = { ...s, body: takeReductions(s.body, [...axes, ...s.axes], prefix, found) }
    const { reducer } = taken
    if (reducer !== 'argmax' && reducer !== 'argmin') return accumulated(reducer, taken.axes, taken.body)
    const arg = argReduction(reducer, taken)
    const least = accumulated('min', taken.axes, candidate(arg, accumulated(arg.extreme, taken.axes, arg.body)))
    return positionFrom(arg, least, taken.dtype)
  })
}
const sameAxes = (a: readonly ReduceAxis[], b: readonly ReduceAxis[]): boolean =>
  a.length === b.length && a.every((x, i) => x.name === b[i]?.name && x.extent.key === b[i]?.extent.key)
