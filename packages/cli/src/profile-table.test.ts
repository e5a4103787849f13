/** @file A profile as the terminal shows it. */
import { expect, test } from 'vitest'
import { profileTable } from './profile-table.ts'

test('the mean of several runs, the dearest kernel first', () => {
  const run = (ms: number) => [
    { kernel: 'relu', ms, runs: 2 },
    { kernel: 'matmul_add', ms: 3, runs: 1 },
  ]
  expect(profileTable([run(0.5), run(1.5)])).toBe(
    [
      'kernel      calls      ms    share',
      'matmul_add      1  3.0000   75.0 %',
      'relu            2  1.0000   25.0 %',
      'all             3  4.0000  100.0 %',
    ].join('\n'),
  )
  expect(profileTable([[]])).toContain('0.0 %')
})
