/** @file The lanes of a vector follow from every dtype in it, those that only subscripts load included. */
import { describe, expect, test } from 'vitest'
import { parseKernel } from '../text/parse-kernel.ts'
import { verifyKernel } from './verify.ts'

const bodies = {
  'a value': 'store y[i] = x[i] + f32(at[i])',
  'the subscript of a load': 'store y[i] = x[value(i32(at[i]))]',
  'the subscript of a store': 'store y[value(i32(at[i]))] = x[i]',
}

describe.each(Object.entries(bodies))('64 bits in %s', (_, body) => {
  const kernel = (lanes: number) =>
    parseKernel(`kernel k(read x: f32[4], read at: i64[4], write y: f32[4]) { for vector i < ${lanes} { ${body} } }`)

  test('make two lanes of a vector', () => {
    expect(() => verifyKernel(kernel(2))).not.toThrow()
    expect(() => verifyKernel(kernel(8))).not.toThrow()
    expect(() => verifyKernel(kernel(16))).toThrow(/has 2 lanes, .* not 16/)
  })
})
