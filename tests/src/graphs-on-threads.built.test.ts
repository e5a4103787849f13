/** @file Random graphs of two to six ops on a team of workers in Node, on the built packages, against the interpreter. */
import fc from 'fast-check'
import { it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { expectRandomGraph } from './expect-graph.ts'
import { runs, timeFor } from './runs.ts'

const cases = runs(10)

it.each([2, 3])(
  'random graphs mean on %i threads what the interpreter says',
  threads =>
    fc.assert(
      fc.asyncProperty(fc.gen(), gen => expectRandomGraph('wasm', new Draw(gen), threads)),
      cases,
    ),
  timeFor(cases),
)
