/**
 * @file Every op, compiled to wasm and run by the runtime on random shapes, dtypes, attributes and values, against its
 * independent reference; `npm run sweep` draws many.
 */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { randomCases } from '../../packages/core-ir/src/ops/testing/random-cases.ts'
import { expectReference } from './run-op.ts'
import { runs, timeFor } from './runs.ts'

const cases = runs(3)
const reach = { wide: true, specials: { unbounded: true, subnormal: true, finite: true } }

describe.each(Object.entries(randomCases))('%s', (op, draw) => {
  it(
    'gives on wasm what its reference says',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), async gen => {
          const d = new Draw(gen, reach)
          await expectReference('wasm', op, draw(d), d)
        }),
        cases,
      ),
    timeFor(cases),
  )
})
