/**
 * @file The loop language: what a kernel is. Its whole grammar:
 *
 *   kernel  = name, symbols, params, stmts
 *   stmt    = for axis < extent {tag}: stmts
 *           | alloc buffer {register|shared|private}
 *           | let name = scalar
 *           | store buffer[indices] = scalar
 *           | accumulate buffer[indices] reducer= scalar
 *           | if scalar: stmts else: stmts
 *           | fail reason at index          (sets the run's status word)
 *           | barrier
 *
 * Meaning of the tags: `serial` and `unroll` run in order. `vector` iterations are independent lanes and the body holds no loop.
 * `parallel` iterations are independent and split statically over a team (wasm). `workgroup.*` iterations are independent;
 * `thread.*` iterations inside one workgroup run concurrently, in any interleaving, and meet at barriers (WGSL).
 * A barrier at the top level of a kernel is the team's; one inside thread axes is the workgroup's.
 * Outside parallel axes, a kernel that has any is run by every member: only registers and private buffers may be written there.
 */
import type { DType } from '@quern/artifact'
import type { Span } from '../diagnostics/span.ts'
import type { Index } from '../index/index-expr.ts'
import type { Scalar } from '../scalar/scalar.ts'

export type AxisTag =
  | 'serial'
  | 'unroll'
  | 'vector'
  | 'parallel'
  | 'workgroup.x'
  | 'workgroup.y'
  | 'workgroup.z'
  | 'thread.x'
  | 'thread.y'
  | 'thread.z'

export interface BufferDecl {
  readonly name: string
  readonly dtype: DType
  /** Physical extents: accesses index these. */
  readonly shape: readonly Index[]
  /** In elements; row-major of `shape` where absent. */
  readonly strides?: readonly Index[]
  readonly offset?: Index
}

export interface Param extends BufferDecl {
  readonly access: 'read' | 'write' | 'read_write'
}

export type AllocSpace = 'register' | 'shared' | 'private'

/** Reducers that `accumulate` knows; argmax and argmin are written with `if`. */
export type AccumulateOp = 'sum' | 'prod' | 'max' | 'min' | 'any' | 'all'

export type Stmt =
  | {
      readonly kind: 'for'
      readonly axis: string
      readonly extent: Index
      readonly tag: AxisTag
      readonly body: readonly Stmt[]
    }
  | { readonly kind: 'alloc'; readonly space: AllocSpace; readonly buffer: BufferDecl }
  | { readonly kind: 'let'; readonly name: string; readonly value: Scalar }
  | { readonly kind: 'store'; readonly buffer: string; readonly indices: readonly Index[]; readonly value: Scalar }
  | {
      readonly kind: 'accumulate'
      readonly buffer: string
      readonly indices: readonly Index[]
      readonly reducer: AccumulateOp
      readonly value: Scalar
    }
  | { readonly kind: 'if'; readonly condition: Scalar; readonly then: readonly Stmt[]; readonly else: readonly Stmt[] }
  | { readonly kind: 'fail'; readonly reason: 'index-out-of-range' | 'loop-limit'; readonly at: Index }
  | { readonly kind: 'barrier' }

export interface Kernel {
  readonly name: string
  /** Shape symbols the body mentions: i32 parameters (wasm), uniforms (WGSL). */
  readonly symbols: readonly { readonly name: string; readonly min: number; readonly max: number | undefined }[]
  readonly params: readonly Param[]
  readonly body: readonly Stmt[]
  /** The user's lines whose work this kernel does; a comment in WAT and WGSL. */
  readonly origins: readonly Span[]
}
