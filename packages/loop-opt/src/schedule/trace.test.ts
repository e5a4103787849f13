import { expect, test } from 'vitest'
import { parseSchedules, printSchedules } from './trace.ts'

const schedules = `first:
split("i", 4, {"tail":"peel"})
vectorize("i_i")

second:
unroll("k")`

test('schedules print and parse', () => {
  const parsed = parseSchedules(schedules)
  expect([...parsed.keys()]).toEqual(['first', 'second'])
  expect(parsed.get('first')).toEqual([
    { primitive: 'split', args: ['i', 4, { tail: 'peel' }] },
    { primitive: 'vectorize', args: ['i_i'] },
  ])
  expect(printSchedules(parsed)).toBe(schedules)
  expect(parseSchedules('\n')).toEqual(new Map())
})
test.each([
  ['split("i", 4)', 'line 1 stands under no kernel'],
  ['first:\n\nsplit(', 'line 3 of the trace is no primitive'],
  ['first:\nsplit(i)', 'line 2 of the trace is no primitive'],
])('%s', (text, message) => {
  expect(() => parseSchedules(text)).toThrow(message)
})
