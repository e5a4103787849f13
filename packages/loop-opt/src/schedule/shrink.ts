/** @file A buffer used inside one loop only moves into it, and keeps only what one iteration touches. */
import { type BufferDecl, type Kernel, ix } from '@quern/core-ir'
import { accessesOf } from './access.ts'
import { findLoop, insideOf, loopsAround } from './locate.ts'
import { boxOf, disjointOver } from './region.ts'
import { type Alloc, editStmts, replaceLoop, rewriteStmts, visitStmts } from './tree.ts'

/** The kernel with `buffer` allocated inside the body of `axis`, or as it is where something outside uses it or values cross iterations. */
export const shrinkInto = (kernel: Kernel, buffer: string, axis: string): Kernel => {
  const target = findLoop(kernel, axis, 'computeAt')
  let alloc: Alloc | undefined
  visitStmts(kernel.body, s => {
    if (s.kind === 'alloc' && s.buffer.name === buffer) alloc = s
  })
  if (alloc === undefined || target.loop.body.includes(alloc)) return kernel
  const decl = alloc.buffer
  const inside = accessesOf(target.loop.body).filter(a => a.buffer === buffer)
  if (inside.length !== accessesOf(kernel.body).filter(a => a.buffer === buffer).length) return kernel
  // Sound where the loop's iterations (and those around it, inside the alloc's scope) use elements of their own,
  // or where an iteration writes everything it reads: then the first access of each element is a write of the moved nest.
  const box = boxOf(inside, decl, insideOf(target))
  const scope = allocScope(kernel, buffer, axis)
  const loops = [...loopsAround(target), target.loop].slice(scope)
  const onlyWritten = inside.every(a => a.kind !== 'accumulate') && writesWholeBoxFirst(kernel, decl, axis)
  if (!onlyWritten && !disjointOver(box, loops, insideOf(target), decl)) return kernel
  const moved: Alloc = { ...alloc, buffer: { name: decl.name, dtype: decl.dtype, shape: box.size } }
  const removed = {
    ...kernel,
    body: editStmts(kernel.body, s =>
      s === alloc || (s.kind === 'alloc' && s.buffer.name === buffer) ? [] : undefined,
    ),
  }
  return replaceLoop(removed, axis, loop => [
    {
      ...loop,
      body: [
        moved,
        ...rewriteStmts(loop.body, {
          access: (name, indices) =>
            name === buffer ? { buffer: name, indices: indices.map((i, d) => ix.sub(i, box.low[d] ?? 0)) } : undefined,
        }),
      ],
    },
  ])
}

/** How many loops around the target stand outside the alloc too. */
const allocScope = (kernel: Kernel, buffer: string, axis: string): number => {
  const target = findLoop(kernel, axis, 'computeAt')
  const around = [...loopsAround(target), target.loop]
  const first = around.findIndex(l => !holdsAlloc(l.body, buffer))
  return first < 0 ? around.length : first
}
const holdsAlloc = (body: Parameters<typeof visitStmts>[0], buffer: string): boolean => {
  let found = false
  visitStmts(body, s => {
    if (s.kind === 'alloc' && s.buffer.name === buffer) found = true
  })
  return found
}

/** Whether the first statement of the loop that touches the buffer is a nest that stores every element of the others' box. */
const writesWholeBoxFirst = (kernel: Kernel, decl: BufferDecl, axis: string): boolean => {
  const buffer = decl.name
  const target = findLoop(kernel, axis, 'computeAt')
  const [first, ...others] = target.loop.body.filter(s => accessesOf([s]).some(a => a.buffer === buffer))
  if (first === undefined) return false
  const writes = accessesOf([first]).filter(a => a.buffer === buffer)
  let conditional = false
  visitStmts([first], s => {
    conditional ||= s.kind === 'if'
  })
  if (conditional || writes.length === 0 || writes.some(a => a.kind !== 'write')) return false
  const made = boxOf(writes, decl, insideOf(target)),
    used = boxOf(
      accessesOf(others).filter(a => a.buffer === buffer),
      decl,
      insideOf(target),
    )
  return (
    made.low.every((l, d) => ix.sameIndex(l, used.low[d] ?? l)) &&
    made.size.every((e, d) => ix.sameIndex(e, used.size[d] ?? e))
  )
}
