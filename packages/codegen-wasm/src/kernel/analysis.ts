/** @file Questions about kernels that the writer asks before it writes. */
import {
  type Index,
  type Scalar,
  type Stmt,
  childBlocks,
  childrenOf,
  indicesOf,
  ix,
  scalarsOf,
  visitStmts,
} from '@quern/core-ir'

/** Scalars inside an index (the data of `value` atoms). */
export const scalarsInIndex = (x: Index): readonly Scalar[] => {
  const found: Scalar[] = []
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'value') found.push(atom.scalar)
  })
  return found
}
/** Operands of a scalar, those inside its subscripts included. */
export const allChildren = (x: Scalar): readonly Scalar[] => {
  const own = childrenOf(x)
  if (x.kind === 'index') return scalarsInIndex(x.index)
  return x.kind === 'load' ? [...own, ...x.indices.flatMap(scalarsInIndex)] : own
}
const indicesIn = (x: Scalar): readonly Index[] => (x.kind === 'index' ? [x.index] : x.kind === 'load' ? x.indices : [])

export interface Mentions {
  readonly variables: ReadonlySet<string>
  readonly buffers: ReadonlySet<string>
  readonly refs: ReadonlySet<string>
}
/** Every axis, symbol, buffer and let that expressions mention. */
export const mentionsOf = (scalars: readonly Scalar[], indices: readonly Index[] = []): Mentions => {
  const variables = new Set<string>(),
    buffers = new Set<string>(),
    refs = new Set<string>()
  const index = (x: Index): void =>
    ix.visitAtoms(x, atom => {
      if (atom.kind === 'var') variables.add(atom.name)
      if (atom.kind === 'value') go(atom.scalar)
    })
  const go = (x: Scalar): void => {
    if (x.kind === 'load') buffers.add(x.buffer)
    if (x.kind === 'ref') refs.add(x.name)
    indicesIn(x).forEach(index)
    childrenOf(x).forEach(go)
  }
  indices.forEach(index)
  scalars.forEach(go)
  return { variables, buffers, refs }
}

/** Buffers that statements write. */
export const writtenIn = (stmts: readonly Stmt[]): ReadonlySet<string> => {
  const written = new Set<string>()
  visitStmts(stmts, s => {
    if (s.kind === 'store' || s.kind === 'accumulate') written.add(s.buffer)
  })
  return written
}
export const boundIn = (stmts: readonly Stmt[]): ReadonlySet<string> => {
  const bound = new Set<string>()
  visitStmts(stmts, s => {
    if (s.kind === 'let') bound.add(s.name)
    if (s.kind === 'for') bound.add(s.axis)
    if (s.kind === 'alloc') bound.add(s.buffer.name)
  })
  return bound
}

/** How often each expression is needed in a block; what is needed twice is worth a local. */
export const countUses = (stmts: readonly Stmt[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  const go = (x: Scalar): void => {
    const seen = counts.get(x.key) ?? 0
    counts.set(x.key, seen + 1)
    // A second use takes the local of the first: its operands are not needed again.
    if (seen === 0) allChildren(x).forEach(go)
  }
  visitStmts(stmts, s => {
    scalarsOf(s).forEach(go)
    for (const x of indicesOf(s)) scalarsInIndex(x).forEach(go)
  })
  return counts
}

export const hasLoop = (stmts: readonly Stmt[]): boolean =>
  stmts.some(s => (s.kind === 'for' && s.tag !== 'vector') || childBlocks(s).some(hasLoop))
export const hasParallel = (stmts: readonly Stmt[]): boolean =>
  stmts.some(s => (s.kind === 'for' && s.tag === 'parallel') || childBlocks(s).some(hasParallel))
export const hasStatement = (stmts: readonly Stmt[], kind: Stmt['kind']): boolean =>
  stmts.some(s => s.kind === kind || childBlocks(s).some(b => hasStatement(b, kind)))
