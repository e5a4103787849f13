/** @file Random networks over pictures in random layouts, on wasm, against the interpreter; `npm run sweep` draws many. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { expectLaidOut } from './picture-networks.ts'
import { runs, timeFor } from './runs.ts'

const cases = runs(40)

describe('random layouts', () => {
  it(
    'change nothing of what a network means on wasm',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), gen => expectLaidOut('wasm', new Draw(gen, {}))),
        cases,
      ),
    timeFor(cases),
  )
})
