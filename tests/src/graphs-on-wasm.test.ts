/** @file Random graphs of two to six ops, compiled whole to wasm, against the interpreter; `npm run sweep` draws many. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { expectRandomGraph } from './expect-graph.ts'
import { runs, timeFor } from './runs.ts'

const cases = runs(40)

describe('random graphs', () => {
  it(
    'mean on wasm what the interpreter says',
    () =>
      fc.assert(
        fc.asyncProperty(fc.gen(), gen => expectRandomGraph('wasm', new Draw(gen, {}))),
        cases,
      ),
    timeFor(cases),
  )
})
