/** @file The fine sweep behind `npm run ulp`; the unit tests use a coarser one. */
import { expect, test } from 'vitest'
import { expandedUnary, sweep } from './sweep.ts'

test.each(expandedUnary)('%s', op => {
  const worst = sweep(op, 997)
  console.info(`${op}: at most ${worst.ulp.toFixed(3)} ulp, at ${worst.at}, of ${worst.points} arguments`)
  expect(worst.ulp).toBeLessThanOrEqual(4)
})
