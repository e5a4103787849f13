/** @file The expansion of every op that is not basic. */
import type { DType } from '@quern/artifact'
import { type Scalar, cast } from '../scalar.ts'
import { type BinaryOp, type UnaryOp, binaryOps, unaryOps } from '../scalar-ops.ts'
import type { Emitter, Expansion } from './emitter.ts'
import { expandErf } from './erf.ts'
import { expandExp } from './exp.ts'
import { expandLog } from './log.ts'
import { expandPow } from './pow.ts'
import { expandSigmoid } from './sigmoid.ts'
import { expandCos, expandSin } from './sin-cos.ts'
import { expandTanh } from './tanh.ts'

type NonBasic<T extends Readonly<Record<string, { readonly basic: boolean }>>> = {
  [K in keyof T]: T[K]['basic'] extends false ? K : never
}[keyof T]
export type ExpandedOp = NonBasic<typeof unaryOps> | NonBasic<typeof binaryOps>

type Unary = (b: Emitter, x: Scalar) => Scalar
type Binary = (b: Emitter, x: Scalar, y: Scalar) => Scalar
const unary =
  (f: Unary): Expansion =>
  (b, x) => {
    if (x === undefined) throw new RangeError('one operand')
    return f(b, x)
  }
const binary =
  (f: Binary): Expansion =>
  (b, x, y) => {
    if (x === undefined || y === undefined) throw new RangeError('two operands')
    return f(b, x, y)
  }

/** Within 3.4 units in the last place in single precision, denormals, NaN and infinities included (`npm run ulp` measures). */
export const expansions: Readonly<Record<ExpandedOp, Expansion>> = {
  exp: unary(expandExp),
  log: unary(expandLog),
  sin: unary(expandSin),
  cos: unary(expandCos),
  tanh: unary(expandTanh),
  erf: unary(expandErf),
  sigmoid: unary(expandSigmoid),
  pow: binary(expandPow),
}

export const isExpanded = (op: UnaryOp | BinaryOp): op is ExpandedOp => Object.hasOwn(expansions, op)

/** Emits the expansion of an op; its operands must be leaves. Half precision computes in single precision and rounds. */
export const expandOp = (b: Emitter, op: ExpandedOp, dtype: DType, operands: readonly Scalar[]): Scalar => {
  switch (dtype) {
    case 'f32':
    case 'f64':
      return expansions[op](b, ...operands)
    case 'f16':
      return cast(expansions[op](b, ...operands.map(x => b.let('wide', cast(x, 'f32')))), 'f16')
    default:
      throw new TypeError(`${op} of ${dtype} has no expansion`)
  }
}
