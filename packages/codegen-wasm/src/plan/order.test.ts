/** @file Which steps wait for the team: those that meet in memory an earlier step may still be at. */
import { describe, expect, test } from 'vitest'
import { Pending, type Touches } from './order.ts'

const touches = (by: Touches['by'], reads: string, writes: string): Touches => ({
  by,
  reads: new Set(reads),
  writes: new Set(writes),
})
const team = (reads: string, writes: string): Touches => touches('team', reads, writes)
const alone = (reads: string, writes: string): Touches => touches('worker 0', reads, writes)

describe('a step waits', () => {
  test.each([
    ['read after write', team('a', 'b'), team('b', 'c'), true],
    ['write after read', team('a', 'b'), team('c', 'a'), true],
    ['write after write', team('a', 'b'), team('c', 'b'), true],
    ['read after read', team('a', 'b'), team('a', 'c'), false],
    ['nothing in common', team('a', 'b'), team('c', 'd'), false],
  ])('%s', (_, first, second, waits) => {
    for (const [x, y] of [
      [first, second],
      [{ ...first, by: 'worker 0' } satisfies Touches, second],
      [first, { ...second, by: 'worker 0' } satisfies Touches],
    ] as const)
      expect(new Pending([x]).conflicts(y)).toBe(waits)
    // One worker does its own steps in order.
    expect(new Pending([{ ...first, by: 'worker 0' }]).conflicts({ ...second, by: 'worker 0' })).toBe(false)
  })

  test('for any step since the last barrier, and for those of either branch', () => {
    const pending = new Pending()
    pending.add(alone('', 'a'))
    pending.add(alone('a', 'b'))
    expect(pending.conflicts(team('a', 'c'))).toBe(true)
    const [one, other] = [pending.fork(), pending.fork()]
    one.clear()
    one.add(team('', 'd'))
    other.add(team('', 'e'))
    pending.join(one, other)
    for (const read of ['a', 'b', 'd', 'e']) expect(pending.conflicts(team(read, 'f')), read).toBe(true)
    expect(pending.conflicts(team('c', 'f'))).toBe(false)
    pending.clear()
    expect(pending.conflicts(team('e', 'f'))).toBe(false)
  })
})
