/** @file Random networks over pictures in random layouts on a team of workers in Node, on the built packages. */
import fc from 'fast-check'
import { it } from 'vitest'
import { Draw } from '../../packages/core-ir/src/ops/testing/draw.ts'
import { expectLaidOut } from './picture-networks.ts'
import { runs, timeFor } from './runs.ts'

const cases = runs(8)

it(
  'random layouts change nothing of what a network means on two threads',
  () =>
    fc.assert(
      fc.asyncProperty(fc.gen(), gen => expectLaidOut('wasm', new Draw(gen), 2)),
      cases,
    ),
  timeFor(cases),
)
