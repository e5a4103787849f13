import { expect, test } from 'vitest'
import { codeFrame } from './frame.ts'

test('the lines around a place, with the place underlined', () => {
  expect(codeFrame('one\ntwo three\nfour\nfive', { line: 2, column: 5, length: 5 })).toBe(
    '1 | one\n2 | two three\n  |     ^^^^^\n3 | four',
  )
})

test('of a very long line, the part that matters', () => {
  const lines = codeFrame(`${'a'.repeat(1000)}HERE${'b'.repeat(1000)}`, { line: 1, column: 1001, length: 4 }).split(
    '\n',
  )
  const [shown = '', marks = ''] = lines
  expect(shown.length).toBeLessThan(200)
  expect(shown.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('HERE')
})
