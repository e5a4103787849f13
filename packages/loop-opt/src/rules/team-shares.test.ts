/** @file A team's shares are about even: where those of one thread's schedule are not, the rules look for another. */
import { ix } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { sharesEvenly, teamCycles } from '../cost/team-time.ts'
import { wasmTarget } from '../target/wasm.ts'
import { matmulRegion } from '../testing/regions.ts'
import { scheduleKernel } from './schedule-kernel.ts'
import type { RuleContext } from './rule.ts'
import { topLoops } from './rule.ts'
import type { Schedule } from '../schedule/schedule.ts'

const contextOf = (m: number, n: number, k: number, threads: number): RuleContext => ({
  region: matmulRegion(m, n, k),
  kind: 'contraction',
  target: wasmTarget({ threads }),
  permits: 'reassociates',
  constants: new Set(['a']),
})
const shares = (s: Schedule): number[] =>
  topLoops(s.kernel).flatMap(({ tag, extent }) => (tag === 'parallel' && ix.isConst(extent) ? [extent.value] : []))

// Weights on the left, a small picture on the right: its columns are packed in few groups, which suits one thread.
test.each([
  [576, 196, 96],
  [160, 49, 960],
])('%i × %i × %i', (m, n, k) => {
  const alone = scheduleKernel(contextOf(m, n, k, 1))
  const team = scheduleKernel(contextOf(m, n, k, 16), alone)
  const groups = topLoops(alone.kernel).map(({ extent }) => (ix.isConst(extent) ? extent.value : NaN))
  expect(Math.max(...groups)).toBeLessThan(7)
  expect(Math.min(...shares(team))).toBeGreaterThanOrEqual(7)
})

test('shares that are even stay those of one thread', () => {
  const alone = scheduleKernel(contextOf(512, 512, 64, 1))
  const team = scheduleKernel(contextOf(512, 512, 64, 16), alone)
  expect(topLoops(team.kernel).map(l => l.axis)).toEqual(topLoops(alone.kernel).map(l => l.axis))
  expect(sharesEvenly(team.kernel, new Map())).toBe(true)
})

test('a team waits for its longest share', () => {
  const target = wasmTarget({ threads: 16 })
  const { kernel } = scheduleKernel(contextOf(512, 512, 64, 16))
  const [loop] = topLoops(kernel)
  if (loop === undefined) throw new Error('a product has loops')
  const serial = { ...kernel, body: kernel.body.map(s => (s === loop ? { ...loop, tag: 'serial' as const } : s)) }
  // What nobody shares costs a team of 2, 4 and 8 as much as 2, 4 and 8 even shares.
  expect(teamCycles(serial, new Map(), target) / teamCycles(kernel, new Map(), target)).toBeCloseTo((2 + 4 + 8) / 3, 1)
})
