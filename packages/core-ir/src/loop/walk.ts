/** @file Walks over the statements of a kernel. */
import type { AxisTag, Stmt } from './kernel.ts'

/** The statements directly inside one, with the path segment that leads to them. */
export const blocksOf = (stmt: Stmt): readonly (readonly [segment: string, block: readonly Stmt[]])[] => {
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

/** Every statement, outer before inner, with its path (`0.2.else.1`) as the printer names it. */
export const visitStmts = (
  stmts: readonly Stmt[],
  visit: (stmt: Stmt, path: string, around: readonly Stmt[]) => void,
  prefix = '',
  around: readonly Stmt[] = [],
): void =>
  stmts.forEach((stmt, i) => {
    const path = prefix === '' ? `${i}` : `${prefix}.${i}`
    visit(stmt, path, around)
    for (const [segment, block] of blocksOf(stmt)) visitStmts(block, visit, path + segment, [...around, stmt])
  })

export const isWorkgroup = (tag: AxisTag): boolean => tag.startsWith('workgroup.')
export const isThread = (tag: AxisTag): boolean => tag.startsWith('thread.')

export const containsStmt = (stmts: readonly Stmt[], test: (stmt: Stmt) => boolean): boolean =>
  stmts.some(s => test(s) || blocksOf(s).some(([, block]) => containsStmt(block, test)))
