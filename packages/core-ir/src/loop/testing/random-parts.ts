/** @file Tests only: what generators of random kernels share. */
import type { DType } from '@quern/artifact'
import { type Index, fromScalar } from '../../index/index-expr.ts'
import { type BinaryOp, type UnaryOp, accepts, binaryOps, unaryOps } from '../../scalar/scalar-ops.ts'
import { type Scalar, binary, indexScalar, literal } from '../../scalar/scalar.ts'

/** A source of decisions that shrinks towards 0. */
export class Choices {
  private at = 0
  private readonly list: readonly number[]
  constructor(list: readonly number[]) {
    this.list = list
  }
  below(n: number): number {
    return (this.list[this.at++] ?? 0) % Math.max(1, n)
  }
  of<T>(xs: readonly T[]): T {
    const x = xs[this.below(xs.length)]
    if (x === undefined) throw new Error('nothing to choose from')
    return x
  }
}

/** Data as a subscript below `width`: a gather. */
export const clamped = (data: Scalar, width: number): Index =>
  fromScalar(binary('min', binary('max', data, literal(0, 'i32')), literal(width - 1, 'i32')))

/** Whether 0 ≤ i < width. */
export const inside = (i: Index, width: number): Scalar => {
  const at = indexScalar(i)
  return binary('and', binary('ge', at, literal(0, 'i32')), binary('lt', at, literal(width, 'i32')))
}

/** Ops that keep a dtype and that a generator spells. */
export const unaryOpsOn = (dtype: DType, isSpelled: (op: UnaryOp) => boolean): UnaryOp[] =>
  (Object.keys(unaryOps) as UnaryOp[]).filter(
    op => isSpelled(op) && unaryOps[op].result === 'same' && accepts(unaryOps[op].accepts, dtype),
  )
export const binaryOpsOn = (dtype: DType, isSpelled: (op: BinaryOp) => boolean): BinaryOp[] =>
  (Object.keys(binaryOps) as BinaryOp[]).filter(
    op => isSpelled(op) && binaryOps[op].result === 'same' && accepts(binaryOps[op].accepts, dtype),
  )
