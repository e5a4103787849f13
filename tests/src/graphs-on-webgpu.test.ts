/** @file Random graphs of two to six ops, compiled whole to WGSL, against the interpreter; `npm run sweep` draws many. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { expectRandomGraph } from './expect-graph.ts'
import { runs, timeFor } from './runs.ts'
import { heldBySoftware, software, useSoftwareGpu } from './software-gpu.ts'

const cases = runs(40)

describe.skipIf(software === undefined)('random graphs', () => {
  useSoftwareGpu()
  it(
    'mean on WebGPU what the interpreter says',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), gen => expectRandomGraph('webgpu', new Draw(gen, { dtypes: heldBySoftware }))),
        cases,
      ),
    timeFor(cases),
  )
})
