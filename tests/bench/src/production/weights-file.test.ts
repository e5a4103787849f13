import { expect, test } from 'vitest'
import { seededWeights } from '../networks/weights.ts'
import { readWeights, writeWeights } from './weights-file.ts'

test.each([0, 1, 2, 3])('weights come back from the file that holds them (a name of %i more letters)', more => {
  const weights = seededWeights([
    { name: `a${'b'.repeat(more)}`, shape: [2, 3], scale: 1 },
    { name: 'scalar', shape: [], scale: 1 },
  ])
  expect(readWeights(writeWeights(weights).slice().buffer)).toEqual(weights)
})
