/** @file What each intrinsic replaces: the other half of core-ir's scalar/intrinsics.ts, which says what it computes. */
import type { DType } from '@quern/artifact'
import type { Numerics, Scalar } from '@quern/core-ir'

export interface IntrinsicPattern {
  readonly name: string
  /** What it replaces, in words for messages. */
  readonly says: string
  readonly result: DType
  /** How many iterations of the innermost loop it does at once. */
  readonly iterations: number
  readonly numerics: Numerics
  /** The operands in an accumulated value that has the pattern. */
  operands(value: Scalar): readonly Scalar[] | undefined
}

export const intrinsicPatterns: readonly IntrinsicPattern[] = [
  {
    name: 'madd',
    says: 'c sum= a * b in f32',
    result: 'f32',
    iterations: 1,
    numerics: 'reassociates',
    operands: x => (x.kind === 'binary' && x.op === 'mul' && x.dtype === 'f32' ? [x.lhs, x.rhs] : undefined),
  },
]
