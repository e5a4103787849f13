/** @file The frame of an error is that of the style guide, character by character. */
import { QuernError } from '@quern/artifact'
import { describe, expect, it } from 'vitest'
import { codeFrame } from './frame.ts'
import { formatUserError, userErrorOf } from './user-error.ts'

const source = [
  ...Array.from({ length: 10 }, () => ''),
  '  const hidden = nn.relu(matmul(image, w0))',
  '  const logits = matmul(hidden, w1)',
].join('\n')

describe('formatUserError', () => {
  it('quotes the line and the operands of a constraint error', () => {
    const file = '/app/src/digits.model.ts'
    const error = new QuernError(
      'matmul/inner-dims-agree',
      'matmul needs dim(lhs, -1) = dim(rhs, -2), and 128 is not 96',
      {
        origin: { file, line: 12, column: 18, length: 6, name: 'logits' },
        operands: [
          { role: 'lhs', type: 'f32[n,128]', name: 'hidden', origin: { file, line: 11, column: 18 } },
          { role: 'rhs', type: 'f32[96,10]', name: 'w1', origin: { file, line: 6, column: 12 } },
          undefined,
        ],
      },
    )
    expect(formatUserError(userErrorOf(error), { source })).toMatchInlineSnapshot(`
      "error[matmul/inner-dims-agree] matmul needs dim(lhs, -1) = dim(rhs, -2), and 128 is not 96
        digits.model.ts:12:18
        11 |   const hidden = nn.relu(matmul(image, w0))
        12 |   const logits = matmul(hidden, w1)
           |                  ^^^^^^
        lhs  hidden: f32[n,128]   from digits.model.ts:11:18
        rhs  w1: f32[96,10]       from digits.model.ts:6:12"
    `)
  })

  it('is one line where nothing is known of the place', () => {
    expect(formatUserError({ code: 'a/b', message: 'no' })).toBe('error[a/b] no')
  })
})

describe('codeFrame', () => {
  it('keeps tabs, aligns numbers and never marks past the end of the line', () => {
    const text = [...Array.from({ length: 8 }, () => 'x'), 'before', '\tf(x)'].join('\r\n')
    expect(codeFrame(text, { line: 10, column: 2, length: 99 }).split('\n')).toEqual([
      ' 9 | before',
      '10 | \tf(x)',
      '   | \t^^^^',
    ])
  })
})
