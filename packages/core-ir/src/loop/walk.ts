/** @file Walks over the statements of a kernel. */
import type { DType } from '@quern/artifact'
import type { Index } from '../index/index-expr.ts'
import type { Scalar } from '../scalar/scalar.ts'
import { visitIndexScalars, visitScalars } from '../scalar/walk.ts'
import type { AxisTag, Stmt } from './kernel.ts'

/** The statements directly inside one, with the path segment that leads to them. */
const blocksOf = (stmt: Stmt): readonly (readonly [segment: string, block: readonly Stmt[]])[] => {
  switch (stmt.kind) {
    case 'for':
      return [['', stmt.body]]
    case 'if':
      return [
        ['.then', stmt.then],
        ['.else', stmt.else],
      ]
    default:
      return []
  }
}

/** The statements directly inside one. */
export const childBlocks = (stmt: Stmt): readonly (readonly Stmt[])[] =>
  stmt.kind === 'for' ? [stmt.body] : stmt.kind === 'if' ? [stmt.then, stmt.else] : []

/** Every statement, outer before inner. */
export const visitStmts = (stmts: readonly Stmt[], visit: (stmt: Stmt) => void): void => {
  for (const stmt of stmts) {
    visit(stmt)
    for (const block of childBlocks(stmt)) visitStmts(block, visit)
  }
}

/** Every statement, outer before inner, with its path (`0.2.else.1`) as the printer names it. */
export const visitStmtPaths = (
  stmts: readonly Stmt[],
  visit: (stmt: Stmt, path: string, around: readonly Stmt[]) => void,
  prefix = '',
  around: readonly Stmt[] = [],
): void =>
  stmts.forEach((stmt, i) => {
    const path = prefix === '' ? `${i}` : `${prefix}.${i}`
    visit(stmt, path, around)
    for (const [segment, block] of blocksOf(stmt)) visitStmtPaths(block, visit, path + segment, [...around, stmt])
  })

/** The scalars that a statement itself evaluates. */
export const scalarsOf = (stmt: Stmt): readonly Scalar[] => {
  switch (stmt.kind) {
    case 'let':
    case 'store':
    case 'accumulate':
      return [stmt.value]
    case 'if':
      return [stmt.condition]
    default:
      return []
  }
}

/** The indices that a statement itself evaluates. */
export const indicesOf = (stmt: Stmt): readonly Index[] => {
  switch (stmt.kind) {
    case 'for':
      return [stmt.extent]
    case 'alloc':
      return stmt.buffer.shape
    case 'store':
    case 'accumulate':
      return stmt.indices
    case 'fail':
      return [stmt.at]
    default:
      return []
  }
}

/** The dtypes of all that statements compute and load, in subscripts too: they decide the lanes of a vector. */
export const dtypesIn = (stmts: readonly Stmt[]): DType[] => {
  const found = new Set<DType>()
  visitStmts(stmts, s => {
    if (s.kind === 'alloc') found.add(s.buffer.dtype)
    const see = (x: Scalar): void => void found.add(x.dtype)
    for (const x of scalarsOf(s)) visitScalars(x, see)
    // Subscripts too: expansion may name what they load.
    for (const i of indicesOf(s)) visitIndexScalars(i, see)
  })
  return [...found]
}

export const isWorkgroup = (tag: AxisTag): boolean => tag.startsWith('workgroup.')
export const isThread = (tag: AxisTag): boolean => tag.startsWith('thread.')

export const containsStmt = (stmts: readonly Stmt[], test: (stmt: Stmt) => boolean): boolean =>
  stmts.some(s => test(s) || childBlocks(s).some(block => containsStmt(block, test)))
