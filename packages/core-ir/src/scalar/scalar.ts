/**
 * @file Scalar expressions: what one element is. Typed, total, immutable; each carries a key that is equal
 * exactly when two expressions are the same.
 */
import type { DType } from '@quern/artifact'
import type { Index } from '../index/index-expr.ts'
import { type BinaryOp, type UnaryOp, binaryOps, unaryOps } from './scalar-ops.ts'

export const reducers = ['sum', 'prod', 'max', 'min', 'any', 'all', 'argmax', 'argmin'] as const
export type Reducer = (typeof reducers)[number]

/** An axis that a reducer runs over. */
export interface ReduceAxis {
  readonly name: string
  readonly extent: Index
}

interface Base {
  readonly dtype: DType
  readonly key: string
}
export type Scalar =
  | (Base & { readonly kind: 'const'; readonly value: number | bigint })
  /** An index as a number. */
  | (Base & { readonly kind: 'index'; readonly index: Index })
  /** An element of a buffer. With a guard, nothing is read where the guard is false: the result is `fill`. */
  | (Base & {
      readonly kind: 'load'
      readonly buffer: string
      readonly indices: readonly Index[]
      readonly guard?: Scalar
      readonly fill?: Scalar
    })
  /** A name bound by an enclosing `let` of the loop language. */
  | (Base & { readonly kind: 'ref'; readonly name: string })
  | (Base & { readonly kind: 'unary'; readonly op: UnaryOp; readonly operand: Scalar })
  | (Base & { readonly kind: 'binary'; readonly op: BinaryOp; readonly lhs: Scalar; readonly rhs: Scalar })
  | (Base & { readonly kind: 'select'; readonly condition: Scalar; readonly then: Scalar; readonly otherwise: Scalar })
  /** Conversion by the rules of scalar/cast.ts. */
  | (Base & { readonly kind: 'cast'; readonly operand: Scalar })
  /** The same bits as another dtype of the same width. */
  | (Base & { readonly kind: 'bitcast'; readonly operand: Scalar })
  /** An intrinsic: semantics in scalar/intrinsics.ts, a spelling per target. */
  | (Base & { readonly kind: 'intrinsic'; readonly name: string; readonly args: readonly Scalar[] })
  /** Only in an op's semantics; lowering turns it into loops. argmax and argmin yield the position along the single axis. */
  | (Base & {
      readonly kind: 'reduce'
      readonly reducer: Reducer
      readonly axes: readonly ReduceAxis[]
      readonly body: Scalar
    })

export const literal = (value: number | bigint | boolean, dtype: DType): Scalar => {
  const wide = dtype === 'i64' || dtype === 'u64'
  const v = typeof value === 'boolean' ? Number(value) : value
  const held = wide ? BigInt(v) : Number(v)
  return { kind: 'const', dtype, value: held, key: `${Object.is(held, -0) ? '-0' : held}:${dtype}` }
}
export const indexScalar = (index: Index, dtype: 'i32' | 'i64' = 'i32'): Scalar => ({
  kind: 'index',
  dtype,
  index,
  key: `${dtype}[${index.key}]`,
})

export const load = (
  buffer: string,
  dtype: DType,
  indices: readonly Index[],
  guarded?: { guard: Scalar; fill: Scalar },
): Scalar => {
  const at = `${buffer}[${indices.map(i => i.key).join(', ')}]`
  return guarded === undefined
    ? { kind: 'load', dtype, buffer, indices, key: `${at}:${dtype}` }
    : {
        kind: 'load',
        dtype,
        buffer,
        indices,
        guard: guarded.guard,
        fill: guarded.fill,
        key: `(${guarded.guard.key} ? ${at}:${dtype} : ${guarded.fill.key})`,
      }
}
export const ref = (name: string, dtype: DType): Scalar => ({ kind: 'ref', dtype, name, key: `${name}:${dtype}` })

export const unary = (op: UnaryOp, operand: Scalar): Scalar => ({
  kind: 'unary',
  op,
  operand,
  dtype: unaryOps[op].result === 'bool' ? 'bool' : operand.dtype,
  key: `${op}(${operand.key})`,
})

export const binary = (op: BinaryOp, lhs: Scalar, rhs: Scalar): Scalar => {
  if (lhs.dtype !== rhs.dtype)
    throw new TypeError(`scalar ${op} needs operands of one dtype, not ${lhs.dtype} and ${rhs.dtype}`)
  return {
    kind: 'binary',
    op,
    lhs,
    rhs,
    dtype: binaryOps[op].result === 'bool' ? 'bool' : lhs.dtype,
    key: `${op}(${lhs.key}, ${rhs.key})`,
  }
}
export const select = (condition: Scalar, then: Scalar, otherwise: Scalar): Scalar => {
  if (condition.dtype !== 'bool' || then.dtype !== otherwise.dtype)
    throw new TypeError(
      `select needs a bool and two operands of one dtype, not ${condition.dtype}, ${then.dtype}, ${otherwise.dtype}`,
    )
  return {
    kind: 'select',
    condition,
    then,
    otherwise,
    dtype: then.dtype,
    key: `select(${condition.key}, ${then.key}, ${otherwise.key})`,
  }
}
export const cast = (operand: Scalar, dtype: DType): Scalar =>
  operand.dtype === dtype ? operand : { kind: 'cast', operand, dtype, key: `cast<${dtype}>(${operand.key})` }
export const bitcast = (operand: Scalar, dtype: DType): Scalar =>
  operand.dtype === dtype ? operand : { kind: 'bitcast', operand, dtype, key: `bitcast<${dtype}>(${operand.key})` }
export const intrinsic = (name: string, dtype: DType, args: readonly Scalar[]): Scalar => ({
  kind: 'intrinsic',
  name,
  args,
  dtype,
  key: `${name}!(${args.map(a => a.key).join(', ')})`,
})
export const reduce = (
  reducer: Reducer,
  axes: readonly ReduceAxis[],
  body: Scalar,
  dtype: DType = body.dtype,
): Scalar => ({
  kind: 'reduce',
  reducer,
  axes,
  body,
  dtype,
  key: `${reducer}[${axes.map(a => `${a.name}<${a.extent.key}`).join(', ')}](${body.key}):${dtype}`,
})

/** The operands of a scalar that are scalars (guards and fills included; index expressions are not entered). */
export const childrenOf = (x: Scalar): readonly Scalar[] => {
  switch (x.kind) {
    case 'const':
    case 'index':
    case 'ref':
      return []
    case 'load':
      return x.guard === undefined || x.fill === undefined ? [] : [x.guard, x.fill]
    case 'unary':
    case 'cast':
    case 'bitcast':
      return [x.operand]
    case 'binary':
      return [x.lhs, x.rhs]
    case 'select':
      return [x.condition, x.then, x.otherwise]
    case 'intrinsic':
      return x.args
    case 'reduce':
      return [x.body]
  }
}
