/** @file A profile as the terminal shows it. */
import { expect, test } from 'vitest'
import { forecastsIn, profileTable } from './profile-table.ts'

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

test('what was predicted stands beside what was measured, of the entry that ran', () => {
  const cost = [
    'a: 10*n operations',
    '',
    'prefill at n = 4, one thread',
    'kernel  calls  operations  floor ms  predicted ms  of floor  bound by',
    'relu        1          10      0.25           0.5      50 %  memory',
    'all         1          10      0.25           0.5      50 %',
    '',
    'decode at n = 4, one thread',
    'kernel  calls  operations  floor ms  predicted ms  of floor  bound by',
    'relu        2          20         1             2      50 %  arithmetic',
    'all         2          20         1             2      50 %',
  ].join('\n')
  expect(profileTable([[{ kernel: 'relu', ms: 4, runs: 2 }]], forecastsIn(cost, 'decode'))).toBe(
    [
      'kernel  calls      ms    share  predicted ms  floor ms  of floor  bound by',
      'relu        2  4.0000  100.0 %        2.0000    1.0000    25.0 %  arithmetic',
      'all         2  4.0000  100.0 %        2.0000    1.0000    25.0 %',
    ].join('\n'),
  )
  expect(forecastsIn(cost, 'other').size).toBe(0)
})
