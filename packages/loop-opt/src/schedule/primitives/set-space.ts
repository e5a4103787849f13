/** @file setSpace: where a local buffer lives. */
import { type AllocSpace, ix } from '@quern/core-ir'
import { scheduleError } from '../error.ts'
import { allocsOf } from '../locate.ts'
import { primitive } from '../schedule.ts'
import { type For, childBlocks, editStmts } from '../tree.ts'
import type { Stmt } from '@quern/core-ir'

/** More elements than this are no registers anywhere. */
export const maxRegisterElements = 256

/**
 * `setSpace('acc', 'register')`:
 *
 *     alloc private acc: f32[2,16]   →   alloc register acc: f32[2,16]
 *
 * Registers need constant extents; shared memory a place between workgroup and thread axes.
 */
export const setSpace = primitive('setSpace', (s, buffer: string, space: AllocSpace) => {
  const alloc = allocsOf(s.kernel.body).find(a => a.buffer.name === buffer)
  if (alloc === undefined)
    throw scheduleError(s.kernel, 'setSpace', 'not-a-local', `${buffer} is no local buffer of ${s.kernel.name}`, buffer)
  const extents = alloc.buffer.shape.map(e => (ix.isConst(e) ? e.value : undefined))
  const elements = extents.reduce<number | undefined>(
    (a, b) => (a === undefined || b === undefined ? undefined : a * b),
    1,
  )
  if (space !== 'private' && elements === undefined)
    throw scheduleError(
      s.kernel,
      'setSpace',
      'extent',
      `${buffer} has extents that are not constant: [${alloc.buffer.shape.map(e => e.key).join(', ')}]`,
      buffer,
    )
  if (space === 'register' && (elements ?? 0) > maxRegisterElements)
    throw scheduleError(
      s.kernel,
      'setSpace',
      'too-many',
      `${buffer} has ${elements} elements, and ${maxRegisterElements} registers are the limit`,
      buffer,
    )
  if (space === 'shared' || alloc.space === 'shared') {
    const around = loopsAroundAlloc(s.kernel.body, buffer) ?? []
    if (
      space === 'shared' &&
      (!around.some(l => l.tag.startsWith('workgroup')) || around.some(l => l.tag.startsWith('thread')))
    )
      throw scheduleError(
        s.kernel,
        'setSpace',
        'shared-place',
        `shared memory is allocated inside workgroup axes and outside thread axes, and ${buffer} stands in ${around.map(l => `${l.axis} (${l.tag})`).join(', ') || 'no loop'}`,
        buffer,
      )
  }
  return {
    kernel: {
      ...s.kernel,
      body: editStmts(s.kernel.body, x =>
        x.kind === 'alloc' && x.buffer.name === buffer ? [{ ...x, space }] : undefined,
      ),
    },
  }
})

const loopsAroundAlloc = (
  stmts: readonly Stmt[],
  buffer: string,
  around: readonly For[] = [],
): readonly For[] | undefined => {
  for (const s of stmts) {
    if (s.kind === 'alloc' && s.buffer.name === buffer) return around
    for (const block of childBlocks(s)) {
      const found = loopsAroundAlloc(block, buffer, s.kind === 'for' ? [...around, s] : around)
      if (found !== undefined) return found
    }
  }
  return undefined
}
