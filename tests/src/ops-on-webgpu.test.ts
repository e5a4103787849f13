/** @file Every op, compiled to WGSL and run by the runtime on a software adapter, against its independent reference. */
import type { HostTensor } from '@quern/core-ir'
import fc from 'fast-check'
import { beforeAll, describe, it } from 'vitest'
import { softwareGpu } from '../../packages/codegen-wgsl/test-support/dawn.ts'
import { type Case, Draw, randomCases } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { expectReference } from './run-op.ts'

const software = await softwareGpu()

/** WebGPU has no 64-bit types, and the software adapter no f16. */
const canHold = (t: HostTensor | undefined): boolean => t === undefined || !/64|f16/.test(t.dtype)
const holds = ({ operands, expected }: Case): boolean =>
  operands.every(canHold) && (Array.isArray(expected) ? expected : [expected]).every(canHold)

describe.skipIf(software === undefined).each(Object.entries(randomCases))('%s', (op, draw) => {
  beforeAll(() => {
    const navigator = globalThis.navigator ?? {}
    Object.defineProperty(navigator, 'gpu', { value: software?.gpu, configurable: true })
    Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  })
  it('gives on WebGPU what its reference says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), async gen => {
        const d = new Draw(gen)
        const drawn = draw(d)
        fc.pre(holds(drawn))
        await expectReference('webgpu', op, drawn, d.flag())
      }),
      { numRuns: 2, seed: 20 },
    )
  }, 120_000)
})
