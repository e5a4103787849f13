/** @file Every op, compiled to wasm and run by the runtime on random shapes, against its independent reference. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw, randomCases } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { expectReference } from './run-op.ts'

describe.each(Object.entries(randomCases))('%s', (op, draw) => {
  it('gives on wasm what its reference says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async gen => {
        const d = new Draw(gen)
        await expectReference('wasm', op, draw(d), d.flag())
      }),
      { numRuns: 2, seed: 20 },
    )
  }, 120_000)
})
