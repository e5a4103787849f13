/** @file What statements mention: the buffers they read and write, and the symbols. */
import {
  type BufferDecl,
  type Index,
  type Kernel,
  type Scalar,
  type Stmt,
  type SymbolInfo,
  ix,
  visitScalars,
} from '@quern/core-ir'

interface Visitor {
  readonly scalar: (x: Scalar) => void
  readonly index: (x: Index) => void
  readonly write?: (buffer: string, alsoReads: boolean) => void
}

const walk = (stmts: readonly Stmt[], visit: Visitor): void => {
  for (const s of stmts)
    switch (s.kind) {
      case 'for':
        visit.index(s.extent)
        walk(s.body, visit)
        break
      case 'if':
        visit.scalar(s.condition)
        walk(s.then, visit)
        walk(s.else, visit)
        break
      case 'let':
        visit.scalar(s.value)
        break
      case 'store':
      case 'accumulate':
        visit.write?.(s.buffer, s.kind === 'accumulate')
        s.indices.forEach(visit.index)
        visit.scalar(s.value)
        break
      case 'alloc':
        s.buffer.shape.forEach(visit.index)
        break
      case 'fail':
        visit.index(s.at)
        break
      case 'barrier':
        break
    }
}

/** The buffers that statements read and write. */
export const touched = (body: readonly Stmt[]): { readonly read: Set<string>; readonly written: Set<string> } => {
  const read = new Set<string>(),
    written = new Set<string>()
  const scalar = (s: Scalar): void =>
    visitScalars(s, x => {
      if (x.kind === 'load') read.add(x.buffer)
    })
  const index = (i: Index): void =>
    ix.visitAtoms(i, a => {
      if (a.kind === 'value') scalar(a.scalar)
    })
  walk(body, {
    scalar,
    index,
    write: (buffer, alsoReads) => {
      written.add(buffer)
      if (alsoReads) read.add(buffer)
    },
  })
  return { read, written }
}

/** Of the known symbols, those that statements and the shapes of params mention. */
export const symbolsOf = (
  known: Iterable<SymbolInfo>,
  body: readonly Stmt[],
  params: readonly BufferDecl[],
): Kernel['symbols'] => {
  const names = new Set<string>()
  const index = (i: Index): void =>
    ix.visitAtoms(i, a => {
      if (a.kind === 'var') names.add(a.name)
      if (a.kind === 'value') scalar(a.scalar)
    })
  const scalar = (s: Scalar): void =>
    visitScalars(s, x => {
      if (x.kind === 'index') index(x.index)
      if (x.kind === 'load') x.indices.forEach(index)
    })
  walk(body, { scalar, index })
  for (const p of params) p.shape.forEach(index)
  return [...known].filter(s => names.has(s.name)).map(({ name, min, max }) => ({ name, min, max }))
}
