/** @file Barriers between statements that meet in memory that others see. */
import type { Stmt } from '@quern/core-ir'
import { type Access, accessesOf } from './access.ts'

/** The block with a barrier before each statement that needs, or changes, what an earlier one touched since the last. */
export const withBarriers = (block: readonly Stmt[], visible: ReadonlySet<string>): readonly Stmt[] => {
  const out: Stmt[] = []
  let since: Access[] = []
  for (const s of block) {
    const now = accessesOf([s]).filter(a => visible.has(a.buffer))
    if (s.kind === 'barrier') since = []
    else if (now.some(a => since.some(b => b.buffer === a.buffer && (a.kind !== 'read' || b.kind !== 'read')))) {
      out.push({ kind: 'barrier' })
      since = now
    } else since.push(...now)
    out.push(s)
  }
  return out
}
