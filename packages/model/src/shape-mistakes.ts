/**
 * @file Literal shapes that cannot fit, as errors of the editor. `x: Tensor<D, S> & Fits<…>` asks x for a property: one that
 * every tensor has where nothing is known to be wrong, else one whose name says what is. Each question is put to a naked
 * type parameter and answered `Fine` for its constraint, so that generic functions, dims and unknown ranks are never refused.
 */
import type { DType } from '@quern/artifact'
import type { AnyShape } from './shape-types.ts'
import type { Tensor } from './tensor-value.ts'

/** A key that every tensor has. */
type Fine = 'kind'
export type Fits<Q extends PropertyKey> = { readonly [P in Q]: unknown }

type Show<D> = D extends number ? `${D}` : '?'

/** Two sizes that are both literal and have no value in common. */
type Unequal<A, B, Says extends string, A0 = A, B0 = B> = A extends number
  ? number extends A
    ? Fine
    : B extends number
      ? number extends B
        ? Fine
        : [A0 & B0] extends [never]
          ? Says
          : Fine
      : Fine
  : Fine

/** [..., m, k] × [..., k, n]. */
export type MatmulMistake<A, B> = A extends AnyShape
  ? number extends A['length']
    ? Fine
    : B extends AnyShape
      ? number extends B['length']
        ? Fine
        : A extends readonly [...unknown[], unknown, infer K]
          ? B extends readonly [...unknown[], infer L, unknown]
            ? Unequal<
                K,
                L,
                `matmul needs the last dim of lhs (${Show<K>}) to equal the last but one of rhs (${Show<L>})`
              >
            : 'matmul needs rhs of rank 2 or more'
          : 'matmul needs lhs of rank 2 or more'
      : Fine
  : Fine

/** [..., in] × [out, in]. */
export type LinearMistake<S, I> = S extends AnyShape
  ? number extends S['length']
    ? Fine
    : S extends readonly [...unknown[], infer K]
      ? Unequal<
          K,
          I,
          `linear needs the last dim of x (${Show<K>}) to equal the second dim of weight [out, in] (${Show<I>})`
        >
      : Fine
  : Fine

/** [n, in, h, w] × [out, in, h, w]; groups change what is right. */
export type Conv2dMistake<S, I, P> = 'groups' extends keyof P
  ? Fine
  : S extends AnyShape
    ? number extends S['length']
      ? Fine
      : S extends readonly [unknown, infer C, unknown, unknown]
        ? Unequal<
            C,
            I,
            `conv2d needs the channels of x, its second dim (${Show<C>}), to equal the second dim of weight (${Show<I>})`
          >
        : 'conv2d needs x to be [n, in, height, width]'
    : Fine

/** Counted from the last, dims are equal or 1. */
type BroadcastMistake<A, B> = A extends AnyShape
  ? number extends A['length']
    ? Fine
    : B extends AnyShape
      ? number extends B['length']
        ? Fine
        : BroadcastStep<A, B>
      : Fine
  : Fine
type BroadcastStep<A, B> = A extends readonly [...infer P, infer X]
  ? B extends readonly [...infer Q, infer Y]
    ? OneOrEqual<X, Y> | BroadcastStep<P, Q>
    : Fine
  : Fine
type OneOrEqual<X, Y> = X extends number
  ? number extends X
    ? Fine
    : Y extends number
      ? number extends Y
        ? Fine
        : 1 extends X | Y
          ? Fine
          : Unequal<
              X,
              Y,
              `shapes broadcast where dims are equal or 1, counted from the last, and ${Show<X>} meets ${Show<Y>}`
            >
      : Fine
  : Fine

/** A key that what stands for an operand has: a number is no tensor. */
export type BinaryMistake<A, B> = B extends number
  ? 'toFixed'
  : A extends Tensor<DType, infer S>
    ? B extends Tensor<DType, infer T>
      ? BroadcastMistake<S, T>
      : Fine
    : Fine
