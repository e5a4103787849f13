/**
 * @file Every op, compiled to WGSL and run by the runtime on a software adapter on random shapes, dtypes, attributes and
 * values, against its independent reference; `npm run sweep` draws many.
 */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { randomCases } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { expectReference } from './run-op.ts'
import { runs, timeFor } from './runs.ts'
import { heldBySoftware, software, useSoftwareGpu } from './software-gpu.ts'

const cases = runs(3)
// WGSL lets a device assume that there are no infinities and NaNs, and flush what is subnormal.
const reach = {
  wide: true,
  dtypes: heldBySoftware,
  specials: { unbounded: false, subnormal: false, finite: true },
}

describe.skipIf(software === undefined).each(Object.entries(randomCases))('%s', (op, draw) => {
  useSoftwareGpu()
  it(
    'gives on WebGPU what its reference says',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), async gen => {
          const d = new Draw(gen, reach)
          await expectReference('webgpu', op, draw(d), d)
        }),
        cases,
      ),
    timeFor(cases),
  )
})
