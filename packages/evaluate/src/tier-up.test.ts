/** @file V8's patience while a model is compiled ends with the compilation, however that ends. */
import { spawnSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { afterEach, expect, test, vi } from 'vitest'
import { optimisedLate } from './tier-up.ts'

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }))
const flags = (): string[] => vi.mocked(setFlagsFromString).mock.calls.map(([flag]) => flag)
afterEach(() => vi.mocked(setFlagsFromString).mockClear())

test('flags are set before the work and put back after it', async () => {
  const seen = await optimisedLate(async () => flags(), '11.3.244.8-node.38')
  expect(seen).toEqual(['--interrupt-budget=400000'])
  expect(flags()).toEqual(['--interrupt-budget=400000', '--interrupt-budget=67584'])
})

test('they are put back after work that fails', async () => {
  await expect(optimisedLate(() => Promise.reject(new Error('refused')), '12.4.254')).rejects.toThrow('refused')
  expect(flags()).toEqual(['--invocation-count-for-turbofan=10000', '--invocation-count-for-turbofan=3000'])
})

test('a version that was not measured keeps its own', async () => {
  expect(await optimisedLate(async () => 3, '14.6.1')).toBe(3)
  expect(flags()).toEqual([])
})

/** V8 prints its flags with their defaults: what is put back must be what this version began with. */
test.runIf(process.versions.v8.startsWith('11.'))('what is put back is the default of this V8', () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  expect(stdout).toMatch(/--interrupt-budget \([^)]*\)\s+type: int\s+default: --interrupt-budget=67584\n/)
})
