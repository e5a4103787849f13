import { expect, test } from 'vitest'
import { printProgram } from '../graph/print-program.ts'
import { parseProgram } from './parse-program.ts'

const text = `program chat {
  state cache: f32[2,4] = [0,1,2,3,4,5,6,7]
  state "rope table": f16[64] = bytes("w.bin", 0, 128, "ab")
  state step: i64[]
  entry prefill = graph prefill<n: 1..64>(%"state:cache": f32[2,4], %x: f32[n,2]) {
    %0 = matmul(%x, %"state:cache") : f32[n,4]
    return y = %0, "state:cache" = %"state:cache"
  }
  entry decode = graph decode(%a: f32[1,2], %b: f32[2,2]) {
    %0 = matmul(%a, %b) : f32[1,2]   // chat.model.ts:3:9
    return y = %0
  }
}`

test('a program prints as it was written', () => {
  expect(printProgram(parseProgram(text))).toBe(text)
})
