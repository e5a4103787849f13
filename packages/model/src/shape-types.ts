/**
 * @file Shape arithmetic at the type level, where it can be exact; elsewhere a dim is `number`. Never a false error:
 * what cannot be known is widened, and the compiler checks it with values.
 */
import type { Dim } from '@quern/artifact'
import type { Sizes } from './size.ts'

/** A shape of which only the rank is known, or nothing. */
export type AnyShape = readonly (number | Dim)[]

type Reverse<S extends readonly unknown[], R extends readonly unknown[] = []> = S extends readonly [infer H, ...infer T]
  ? Reverse<T, readonly [H, ...R]>
  : R
type BroadcastDim<A, B> = A extends 1 ? B : B extends 1 ? A : number extends A ? B : A
type BroadcastReversed<A extends readonly unknown[], B extends readonly unknown[]> = A extends readonly [
  infer X,
  ...infer P,
]
  ? B extends readonly [infer Y, ...infer Q]
    ? readonly [BroadcastDim<X, Y>, ...BroadcastReversed<P, Q>]
    : A
  : B

/** NumPy broadcasting of two shapes. */
export type Broadcast<A extends AnyShape, B extends AnyShape> = number extends A['length']
  ? AnyShape
  : number extends B['length']
    ? AnyShape
    : Reverse<BroadcastReversed<Reverse<A>, Reverse<B>>> extends infer R extends AnyShape
      ? R
      : AnyShape

/** [..., m, k] × [..., k, n]. */
export type MatmulShape<A extends AnyShape, B extends AnyShape> = number extends A['length']
  ? AnyShape
  : number extends B['length']
    ? AnyShape
    : A extends readonly [...infer P extends AnyShape, infer M extends number | Dim, number | Dim]
      ? B extends readonly [...infer Q extends AnyShape, number | Dim, infer N extends number | Dim]
        ? readonly [...Broadcast<P, Q>, M, N]
        : AnyShape
      : AnyShape

/** All but the last dim, then `L`. */
export type WithLast<S extends AnyShape, L extends number | Dim> = S extends readonly [
  ...infer P extends AnyShape,
  number | Dim,
]
  ? readonly [...P, L]
  : AnyShape

/** A shape written by the user: literal numbers and dims stay, expressions and -1 become `number`. */
export type WrittenShape<S extends Sizes> = {
  readonly [K in keyof S]: S[K] extends Dim ? S[K] : S[K] extends -1 ? number : S[K] extends number ? S[K] : number
}

/** The same rank, other sizes. */
export type SameRank<S extends AnyShape> = { readonly [K in keyof S]: number }

export type Permuted<S extends AnyShape, P extends readonly number[]> = number extends S['length']
  ? AnyShape
  : { readonly [K in keyof P]: P[K] extends keyof S ? (S[P[K]] extends number | Dim ? S[P[K]] : number) : number }

/** [n, ...rest] → [n, number]. */
export type Flattened<S extends AnyShape> = S extends readonly [infer N extends number | Dim, ...AnyShape]
  ? readonly [N, number]
  : AnyShape
