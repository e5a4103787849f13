/** @file Canonical vector axes: one name for all of as many lanes; odd ones become their bodies, lane by lane. */
import { type Index, type Rewriter, type Stmt, ix, rewriteStmts, visitStmts } from '@quern/core-ir'

/** Replaces one variable. */
export const binding = (axis: string, by: Index): Rewriter => ({
  variable: name => (name === axis ? by : undefined),
})

/** The axis of every vector loop of so many lanes. One name, so that equal work in several loops is seen to be equal. */
export const laneAxis = (extent: number): string => `lane.${extent}`

/** Lanes that SIMD code is written for; other extents run lane by lane. */
const simdExtents: readonly number[] = [2, 4, 8, 16]

/** Vector loops over {@link laneAxis}; vector loops of odd extents become one copy of the body a lane. */
export const canonicalise = (stmts: readonly Stmt[]): readonly Stmt[] =>
  stmts.flatMap((s): readonly Stmt[] => {
    if (s.kind === 'if') return [{ ...s, then: canonicalise(s.then), else: canonicalise(s.else) }]
    if (s.kind !== 'for') return [s]
    const body = canonicalise(s.body)
    if (s.tag !== 'vector') return [{ ...s, body }]
    if (!ix.isConst(s.extent)) return [{ ...s, tag: 'serial', body }]
    const { value } = s.extent
    if (!simdExtents.includes(value))
      return Array.from({ length: value }, (_, lane) => rewriteStmts(body, binding(s.axis, ix.constant(lane)))).flat()
    const axis = laneAxis(value)
    return [{ ...s, axis, body: ownLanes(rewriteStmts(body, binding(s.axis, ix.variable(axis))), value) }]
  })

/** A buffer that is allocated inside a vector axis belongs to one lane: it gets the lanes as its last dim. */
const ownLanes = (body: readonly Stmt[], extent: number): readonly Stmt[] => {
  const own = new Set<string>()
  visitStmts(body, s => {
    if (s.kind === 'alloc') own.add(s.buffer.name)
  })
  if (own.size === 0) return body
  const lane = ix.variable(laneAxis(extent))
  const widen = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.map(s => {
      if (s.kind === 'if') return { ...s, then: widen(s.then), else: widen(s.else) }
      return s.kind === 'alloc' ? { ...s, buffer: { ...s.buffer, shape: [...s.buffer.shape, ix.constant(extent)] } } : s
    })
  return rewriteStmts(widen(body), {
    access: (buffer, indices) => ({ buffer, indices: own.has(buffer) ? [...indices, lane] : indices }),
  })
}
