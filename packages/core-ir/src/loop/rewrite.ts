/** @file Rewrites of kernels and their expressions: variables, accesses, names, scalars. */
import { type Index, fromScalar, mapAtoms } from '../index/index-expr.ts'
import { mapParts } from '../scalar/map-parts.ts'
import { type Scalar, load, ref } from '../scalar/scalar.ts'
import type { BufferDecl, Stmt } from './kernel.ts'

/** What a rewrite replaces. Absent members keep what is there. */
export interface Rewriter {
  /** The new index of a variable (an axis or a symbol). */
  readonly variable?: (name: string) => Index | undefined
  /** New buffer and subscripts of a load, store or accumulate, given the rewritten subscripts. */
  readonly access?: (
    buffer: string,
    indices: readonly Index[],
  ) => { buffer: string; indices: readonly Index[] } | undefined
  /** Replaces a whole scalar after its parts were rewritten. */
  readonly scalar?: (x: Scalar) => Scalar | undefined
  /** New names of binders: axes, allocs and lets. */
  readonly binder?: (name: string) => string
}

export const rewriteIndex = (x: Index, r: Rewriter): Index =>
  mapAtoms(x, atom => {
    if (atom.kind === 'var') return r.variable?.(atom.name)
    if (atom.kind === 'value') {
      const inner = rewriteScalar(atom.scalar, r)
      return inner.kind === 'index' ? inner.index : fromScalar(inner)
    }
    return undefined
  })

export const rewriteScalar = (x: Scalar, r: Rewriter): Scalar => {
  const rebuilt = rebuild(x, r)
  return r.scalar?.(rebuilt) ?? rebuilt
}

const rebuild = (x: Scalar, r: Rewriter): Scalar => {
  if (x.kind === 'ref' && r.binder !== undefined) return ref(r.binder(x.name), x.dtype)
  const made = mapParts(
    x,
    y => rewriteScalar(y, r),
    i => rewriteIndex(i, r),
  )
  const at = made.kind === 'load' ? r.access?.(made.buffer, made.indices) : undefined
  return made.kind !== 'load' || at === undefined ? made : load(at.buffer, made.dtype, at.indices, guardOf(made))
}

/** The guard and the fill of a load that has them. */
const guardOf = ({
  guard,
  fill,
}: Extract<Scalar, { kind: 'load' }>): { readonly guard: Scalar; readonly fill: Scalar } | undefined =>
  guard === undefined || fill === undefined ? undefined : { guard, fill }

const rewriteDecl = (d: BufferDecl, r: Rewriter): BufferDecl => ({
  name: r.binder?.(d.name) ?? d.name,
  dtype: d.dtype,
  shape: d.shape.map(e => rewriteIndex(e, r)),
  ...(d.strides && { strides: d.strides.map(e => rewriteIndex(e, r)) }),
  ...(d.offset && { offset: rewriteIndex(d.offset, r) }),
})

export const rewriteStmts = (stmts: readonly Stmt[], r: Rewriter): readonly Stmt[] => stmts.map(s => rewriteStmt(s, r))

export const rewriteStmt = (s: Stmt, r: Rewriter): Stmt => {
  const rename = (name: string): string => r.binder?.(name) ?? name
  switch (s.kind) {
    case 'for':
      return { ...s, axis: rename(s.axis), extent: rewriteIndex(s.extent, r), body: rewriteStmts(s.body, r) }
    case 'alloc':
      return { ...s, buffer: rewriteDecl(s.buffer, r) }
    case 'let':
      return { ...s, name: rename(s.name), value: rewriteScalar(s.value, r) }
    case 'store':
    case 'accumulate': {
      const indices = s.indices.map(i => rewriteIndex(i, r))
      const at = r.access?.(s.buffer, indices) ?? { buffer: s.buffer, indices }
      return { ...s, ...at, value: rewriteScalar(s.value, r) }
    }
    case 'if':
      return {
        ...s,
        condition: rewriteScalar(s.condition, r),
        then: rewriteStmts(s.then, r),
        else: rewriteStmts(s.else, r),
      }
    case 'fail':
      return { ...s, at: rewriteIndex(s.at, r) }
    case 'barrier':
      return s
  }
}
