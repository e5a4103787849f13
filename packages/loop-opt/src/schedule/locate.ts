/** @file Finds loops and what surrounds them. */
import { type BufferDecl, type Kernel, type Stmt, ix } from '@quern/core-ir'
import { type Domain, domainOf, factsOf, negatedFactsOf, withAxis, withFacts } from './bounds.ts'
import { scheduleError } from './error.ts'
import { type Alloc, type For, childBlocks, visitStmts } from './tree.ts'

export interface Place {
  readonly loop: For
  /** Statements around the loop, outermost first; the loop itself is not in it. */
  readonly ancestors: readonly Stmt[]
  /** The block that holds the loop, and where. */
  readonly block: readonly Stmt[]
  readonly at: number
  /** What is known just outside the loop. */
  readonly domain: Domain
}

/** The loop over `axis`, or an error of this primitive. */
export const findLoop = (kernel: Kernel, axis: string, primitive: string): Place => {
  const found = tryFindLoop(kernel, axis)
  if (found !== undefined) return found
  const axes: string[] = []
  visitStmts(kernel.body, s => {
    if (s.kind === 'for') axes.push(s.axis)
  })
  throw scheduleError(
    kernel,
    primitive,
    'no-such-axis',
    `${kernel.name} has no axis ${axis}; its axes are ${axes.join(', ')}`,
    undefined,
    { axis, axes },
  )
}

export const tryFindLoop = (kernel: Kernel, axis: string): Place | undefined => {
  const path = pathTo(kernel.body, axis)
  if (path === undefined) return undefined
  const domain = path.around.reduce((d, { stmt, child }) => enter(stmt, d)[child] ?? d, domainOf(kernel))
  return { loop: path.loop, ancestors: path.around.map(a => a.stmt), block: path.block, at: path.at, domain }
}

interface Path {
  readonly loop: For
  readonly block: readonly Stmt[]
  readonly at: number
  /** Outermost first, with the child block that the path goes through. */
  readonly around: readonly { readonly stmt: Stmt; readonly child: number }[]
}

const pathTo = (block: readonly Stmt[], axis: string): Path | undefined => {
  for (const [at, stmt] of block.entries()) {
    if (stmt.kind === 'for' && stmt.axis === axis) return { loop: stmt, block, at, around: [] }
    for (const [child, inner] of childBlocks(stmt).entries()) {
      const found = pathTo(inner, axis)
      if (found !== undefined) return { ...found, around: [{ stmt, child }, ...found.around] }
    }
  }
  return undefined
}

/** What is known inside each child block of a statement. */
export const enter = (s: Stmt, domain: Domain): readonly Domain[] =>
  s.kind === 'for'
    ? [withAxis(domain, s.axis, s.extent)]
    : s.kind === 'if'
      ? [withFacts(domain, factsOf(s.condition).facts), withFacts(domain, negatedFactsOf(s.condition))]
      : []

/** What is known inside the body of a located loop. */
export const insideOf = (place: Place): Domain => withAxis(place.domain, place.loop.axis, place.loop.extent)

export const loopsAround = (place: Place): readonly For[] => place.ancestors.filter((s): s is For => s.kind === 'for')

export const allocsOf = (stmts: readonly Stmt[]): Alloc[] => {
  const allocs: Alloc[] = []
  visitStmts(stmts, s => {
    if (s.kind === 'alloc') allocs.push(s)
  })
  return allocs
}

export const declOf = (kernel: Kernel, buffer: string): BufferDecl | undefined =>
  kernel.params.find(p => p.name === buffer) ?? allocsOf(kernel.body).find(a => a.buffer.name === buffer)?.buffer

export const stridesOf = (decl: BufferDecl) => decl.strides ?? ix.rowMajorStrides(decl.shape)

/** A constant extent, or undefined. */
export const constantExtent = (loop: For): number | undefined =>
  ix.isConst(loop.extent) ? loop.extent.value : undefined
