/** @file Random networks over pictures in random layouts, on WebGPU, against the interpreter; `npm run sweep` draws many. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { expectLaidOut } from './picture-networks.ts'
import { runs, timeFor } from './runs.ts'
import { heldBySoftware, software, useSoftwareGpu } from './software-gpu.ts'

const cases = runs(15)

describe.skipIf(software === undefined)('random layouts', () => {
  useSoftwareGpu()
  it(
    'change nothing of what a network means on WebGPU',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), gen => expectLaidOut('webgpu', new Draw(gen, { dtypes: heldBySoftware }))),
        cases,
      ),
    timeFor(cases),
  )
})
