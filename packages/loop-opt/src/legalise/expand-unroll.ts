/** @file Writes unrolled loops out: `for unroll i < 2: f(i)` → `f(0) f(1)`. */
import { type Kernel, type Stmt, ix } from '@quern/core-ir'
import { bindersOf, copyFresh, editStmts, namesOf, substitute } from '../schedule/tree.ts'

export const expandUnroll = (kernel: Kernel): Kernel => {
  const taken = namesOf(kernel)
  return {
    ...kernel,
    body: editStmts(kernel.body, s => {
      if (s.kind !== 'for' || s.tag !== 'unroll' || !ix.isConst(s.extent)) return undefined
      const copies: Stmt[] = []
      for (let i = 0; i < s.extent.value; i++) {
        // The first copy keeps the names; the others need names of their own, since all of them share one block now.
        const body = i === 0 || bindersOf(s.body).length === 0 ? s.body : copyFresh(s.body, `${i}`, taken).stmts
        copies.push(...substitute(body, new Map([[s.axis, ix.constant(i)]])))
      }
      return copies
    }),
  }
}
