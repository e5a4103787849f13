import { expect, test } from 'vitest'
import { isQuernError } from '@quern/artifact'
import { printKernel } from '../loop/print.ts'
import { parseKernel } from './parse-kernel.ts'

const text = `kernel matmul<m: 1.., k: 1..64>(
  read a: f32[m,k],
  read b: f32[k,8] strides [8,1] offset 16,
  read_write y: f32[m,8],
) {
  // digits.model.ts:9:42+6 as "hidden"
  // my file.ts:1:2
  for parallel y_i < (m + 3) // 4 {
    alloc register acc: f32[4,8]
    for unroll r < 4 {
      for vector c < 4 {
        store acc[r, c] = 0.0
        let guard = i32[r + 4*y_i] < i32[m]
        accumulate acc[r, c] sum= (guard ? a[r + 4*y_i, 0] : -inf) * b[0, c % 2] - 1.5 / 2e-7
      }
    }
    if acc[0, 0] == 1.0 {
      store y[y_i, value(i32(acc[0, 0])) + 1] = max(abs(acc[0, 0]), select(true, 1.0, nan))
    } else {
      fail index-out-of-range at min(m, y_i)
    }
  }
  barrier
}`

test('a kernel prints as it was written', () => {
  expect(printKernel(parseKernel(text))).toBe(text)
})

test('an error names the line and underlines the place', () => {
  try {
    parseKernel('kernel k(\n  read a: f32[4],\n) {\n  store b[0] = a[0] + 1\n}')
    expect.unreachable()
  } catch (error) {
    expect(isQuernError(error) && error.details['line']).toBe(4)
    expect(String(error)).toMatchInlineSnapshot(`
      "QuernError: [text/syntax] scalar add needs operands of one dtype, not f32 and i32 at 4:21
      3 | ) {
      4 |   store b[0] = a[0] + 1
        |                     ^
      5 | }"
    `)
  }
})
