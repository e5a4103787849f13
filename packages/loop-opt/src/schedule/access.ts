/** @file Which elements statements read and write. */
import type { AccumulateOp, Index, Scalar, Stmt } from '@quern/core-ir'
import { factsOf, negatedFactsOf } from './bounds.ts'
import { type For, visitIndexScalars, visitScalars } from './tree.ts'

export interface Access {
  readonly buffer: string
  readonly kind: 'read' | 'write' | 'accumulate'
  readonly reducer?: AccumulateOp
  readonly indices: readonly Index[]
  /** Loops between the root that was asked about and the access, outermost first. */
  readonly loops: readonly For[]
  /** Indices that are ≥ 0 wherever the access happens. */
  readonly facts: readonly Index[]
  /** It stands under an `if`. */
  readonly conditional?: boolean
}

/** Every access of statements, in the order of the text. */
export const accessesOf = (
  stmts: readonly Stmt[],
  loops: readonly For[] = [],
  facts: readonly Index[] = [],
  conditional = false,
): Access[] => {
  const out: Access[] = []
  const read = (x: Scalar, known: readonly Index[]): void =>
    visitGuarded(x, known, (s, k) => {
      if (s.kind === 'load')
        out.push({ buffer: s.buffer, kind: 'read', indices: s.indices, loops, facts: k, conditional })
    })
  const readIndex = (x: Index): void =>
    visitIndexScalars(x, s => {
      if (s.kind === 'load') out.push({ buffer: s.buffer, kind: 'read', indices: s.indices, loops, facts, conditional })
    })
  for (const s of stmts)
    switch (s.kind) {
      case 'for':
        readIndex(s.extent)
        out.push(...accessesOf(s.body, [...loops, s], facts, conditional))
        break
      case 'if':
        read(s.condition, facts)
        out.push(
          ...accessesOf(s.then, loops, [...facts, ...factsOf(s.condition).facts], true),
          ...accessesOf(s.else, loops, [...facts, ...negatedFactsOf(s.condition)], true),
        )
        break
      case 'let':
        read(s.value, facts)
        break
      case 'store':
      case 'accumulate':
        read(s.value, facts)
        s.indices.forEach(readIndex)
        out.push({
          buffer: s.buffer,
          kind: s.kind === 'store' ? 'write' : 'accumulate',
          indices: s.indices,
          loops,
          facts,
          conditional,
          ...(s.kind === 'accumulate' && { reducer: s.reducer }),
        })
        break
      case 'fail':
        readIndex(s.at)
        break
      case 'alloc':
      case 'barrier':
        break
    }
  return out
}

/** Visits scalars with what guards and selects around them say; the loads inside a guard are not guarded by it. */
const visitGuarded = (
  x: Scalar,
  known: readonly Index[],
  visit: (s: Scalar, known: readonly Index[]) => void,
): void => {
  if (x.kind === 'load') {
    const inside = x.guard === undefined ? known : [...known, ...factsOf(x.guard).facts]
    visit(x, inside)
    if (x.guard !== undefined) visitGuarded(x.guard, known, visit)
    if (x.fill !== undefined) visitGuarded(x.fill, known, visit)
    x.indices.forEach(i => visitIndexScalars(i, s => visit(s, known)))
    return
  }
  visit(x, known)
  switch (x.kind) {
    case 'const':
    case 'ref':
      return
    case 'index':
      visitIndexScalars(x.index, s => {
        if (s.kind === 'load') visit(s, known)
      })
      return
    case 'unary':
    case 'cast':
    case 'bitcast':
      visitGuarded(x.operand, known, visit)
      return
    case 'binary':
      visitGuarded(x.lhs, known, visit)
      visitGuarded(x.rhs, known, visit)
      return
    // Both arms are evaluated, so a select guards nothing.
    case 'select':
      ;[x.condition, x.then, x.otherwise].forEach(c => visitGuarded(c, known, visit))
      return
    case 'intrinsic':
      x.args.forEach(c => visitGuarded(c, known, visit))
      return
    case 'reduce':
      visitScalars(x.body, s => visit(s, known))
      return
  }
}

export const readsOf = (stmts: readonly Stmt[]): Set<string> =>
  new Set(
    accessesOf(stmts)
      .filter(a => a.kind !== 'write')
      .map(a => a.buffer),
  )
export const writesOf = (stmts: readonly Stmt[]): Set<string> =>
  new Set(
    accessesOf(stmts)
      .filter(a => a.kind !== 'read')
      .map(a => a.buffer),
  )
