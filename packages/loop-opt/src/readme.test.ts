import { readFileSync } from 'node:fs'
import { parseKernel, printKernel } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { legalise } from './legalise/legalise.ts'
import { parseTrace, replay } from './schedule/trace.ts'

test('the README shows what its example prints', () => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/^```(\w*)\n(.*?)^```/gms)].map(m => m[2] ?? '')
  const [source = '', printed = ''] = blocks
  const [kernel = '', trace = ''] = [...source.matchAll(/`(.*?)`/gs)].map(m => m[1] ?? '')
  const schedule = replay(parseKernel(kernel), parseTrace(trace))
  expect(printed.trim()).toBe(printKernel(legalise(schedule.kernel)).trim())
})
