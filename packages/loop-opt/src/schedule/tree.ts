/** @file Walks and rewrites of loop-language trees: what every primitive edits with. */
import {
  type Index,
  type Kernel,
  type Scalar,
  type Stmt,
  ix,
  rewriteScalar,
  rewriteStmts,
  visitScalars,
  visitStmts,
} from '@quern/core-ir'

export {
  type Rewriter,
  childBlocks,
  dtypesIn,
  rewriteIndex,
  rewriteScalar,
  rewriteStmt,
  rewriteStmts,
  visitIndexScalars,
  visitScalars,
  visitStmts,
} from '@quern/core-ir'

export type For = Extract<Stmt, { kind: 'for' }>
export type Alloc = Extract<Stmt, { kind: 'alloc' }>

/** Replaces scalars in a statement's own expressions, not in the statements inside it. */
export const rewriteScalarsOf = <S extends Stmt>(s: S, replace: (x: Scalar) => Scalar | undefined): S => {
  const go = (x: Scalar): Scalar => rewriteScalar(x, { scalar: replace })
  switch (s.kind) {
    case 'let':
    case 'store':
    case 'accumulate':
      return { ...s, value: go(s.value) }
    case 'if':
      return { ...s, condition: go(s.condition) }
    default:
      return s
  }
}

/** Replaces variables by indices. */
export const substitute = (stmts: readonly Stmt[], values: ReadonlyMap<string, Index>): readonly Stmt[] =>
  rewriteStmts(stmts, { variable: name => values.get(name) })

/** Rebuilds bottom-up; `edit` returns the statements that replace one, or undefined to keep it. What stays is the same object. */
export const editStmts = (stmts: readonly Stmt[], edit: (s: Stmt) => readonly Stmt[] | undefined): readonly Stmt[] => {
  const out = stmts.flatMap(s => {
    const inner = editInside(s, edit)
    return edit(inner) ?? [inner]
  })
  return out.length === stmts.length && out.every((s, i) => s === stmts[i]) ? stmts : out
}
const editInside = (s: Stmt, edit: (s: Stmt) => readonly Stmt[] | undefined): Stmt => {
  if (s.kind === 'for') {
    const body = editStmts(s.body, edit)
    return body === s.body ? s : { ...s, body }
  }
  if (s.kind !== 'if') return s
  const then = editStmts(s.then, edit),
    otherwise = editStmts(s.else, edit)
  return then === s.then && otherwise === s.else ? s : { ...s, then, else: otherwise }
}

/** The statements without some, known by identity. */
export const without = (stmts: readonly Stmt[], dead: ReadonlySet<Stmt>): readonly Stmt[] =>
  stmts.flatMap((s): readonly Stmt[] => {
    if (dead.has(s)) return []
    if (s.kind === 'for') return [{ ...s, body: without(s.body, dead) }]
    return s.kind === 'if' ? [{ ...s, then: without(s.then, dead), else: without(s.else, dead) }] : [s]
  })

/** Replaces the one loop over `axis`, wherever it stands, by other statements. */
export const replaceLoop = (kernel: Kernel, axis: string, edit: (loop: For) => readonly Stmt[]): Kernel => ({
  ...kernel,
  body: replaceIn(kernel.body, axis, edit) ?? kernel.body,
})
const replaceIn = (
  stmts: readonly Stmt[],
  axis: string,
  edit: (loop: For) => readonly Stmt[],
): readonly Stmt[] | undefined => {
  for (const [i, s] of stmts.entries()) {
    const replaced = replaceOne(s, axis, edit)
    if (replaced !== undefined) return [...stmts.slice(0, i), ...replaced, ...stmts.slice(i + 1)]
  }
  return undefined
}
const replaceOne = (s: Stmt, axis: string, edit: (loop: For) => readonly Stmt[]): readonly Stmt[] | undefined => {
  if (s.kind === 'for') {
    if (s.axis === axis) return edit(s)
    const body = replaceIn(s.body, axis, edit)
    return body && [{ ...s, body }]
  }
  if (s.kind !== 'if') return undefined
  const then = replaceIn(s.then, axis, edit)
  if (then !== undefined) return [{ ...s, then }]
  const otherwise = replaceIn(s.else, axis, edit)
  return otherwise && [{ ...s, else: otherwise }]
}

/** Replaces every block (list of statements) bottom-up. */
export const editBlocks = (
  stmts: readonly Stmt[],
  edit: (block: readonly Stmt[]) => readonly Stmt[],
): readonly Stmt[] =>
  edit(
    stmts.map((s): Stmt =>
      s.kind === 'for'
        ? { ...s, body: editBlocks(s.body, edit) }
        : s.kind === 'if'
          ? { ...s, then: editBlocks(s.then, edit), else: editBlocks(s.else, edit) }
          : s,
    ),
  )

/** Every name a kernel binds: symbols, params, allocs, axes, lets. */
export const namesOf = (kernel: Kernel): Set<string> => {
  const names = new Set([...kernel.symbols.map(s => s.name), ...kernel.params.map(p => p.name)])
  bindersOf(kernel.body).forEach(name => names.add(name))
  return names
}

export const bindersOf = (stmts: readonly Stmt[]): string[] => {
  const names: string[] = []
  visitStmts(stmts, s => {
    if (s.kind === 'for') names.push(s.axis)
    if (s.kind === 'alloc') names.push(s.buffer.name)
    if (s.kind === 'let') names.push(s.name)
  })
  return names
}

/** `hint`, or `hint_1`, `hint_2` … where it is taken; takes it. */
export const freshName = (taken: Set<string>, hint: string): string => {
  let name = hint
  for (let i = 1; taken.has(name); i++) name = `${hint}_${i}`
  taken.add(name)
  return name
}

/** A copy whose axes, allocs and lets carry names of their own: `<name>_<suffix>`. */
export const copyFresh = (
  stmts: readonly Stmt[],
  suffix: string,
  taken: Set<string>,
): { stmts: readonly Stmt[]; renamed: ReadonlyMap<string, string> } => {
  const renamed = new Map(bindersOf(stmts).map(name => [name, freshName(taken, `${name}_${suffix}`)]))
  const rename = (name: string): string => renamed.get(name) ?? name
  return {
    renamed,
    stmts: rewriteStmts(stmts, {
      binder: rename,
      variable: name => (renamed.has(name) ? ix.variable(rename(name)) : undefined),
      access: (buffer, indices) => ({ buffer: rename(buffer), indices }),
    }),
  }
}

/** The names of variables in an index, those inside loaded values included. */
export const variablesOf = (x: Index, into = new Set<string>()): Set<string> => {
  ix.visitAtoms(x, atom => {
    if (atom.kind === 'var') into.add(atom.name)
    if (atom.kind === 'value') scalarVariables(atom.scalar, into)
  })
  return into
}
/** The names of index variables and lets that a scalar reads. */
export const scalarVariables = (x: Scalar, into = new Set<string>()): Set<string> => {
  visitScalars(x, s => {
    if (s.kind === 'ref') into.add(s.name)
    if (s.kind === 'index') variablesOf(s.index, into)
    if (s.kind === 'load') s.indices.forEach(i => variablesOf(i, into))
  })
  return into
}
