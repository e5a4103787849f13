import { expect, test } from 'vitest'
import { parseProgram } from '../text/parse-program.ts'
import { verifyProgram } from './verify-program.ts'

const program = (states: string, body: string): (() => void) => {
  const parsed = parseProgram(`program p {\n${states}\nentry main = graph main${body}\n}`)
  return () => verifyProgram(parsed)
}
const coded = (code: string): unknown => expect.objectContaining({ code })

test('a state is declared once, and has one type wherever it is read or updated', () => {
  const s = 'state s: f32[2]'
  expect(program(s, '(%"state:s": f32[2]) { return "state:s" = %"state:s" }')).not.toThrow()
  expect(program(`${s}\n${s}`, '(%x: f32[2]) { return y = %x }')).toThrow(coded('graph/state-declared-twice'))
  expect(program('', '(%x: f32[2]) { return "state:s" = %x }')).toThrow(coded('graph/undeclared-state'))
  expect(program(s, '(%x: f32[64]) { return "state:s" = %x }')).toThrow(coded('graph/state-type-agrees'))
  expect(program(s, '(%x: i32[2]) { return "state:s" = %x }')).toThrow(coded('graph/state-type-agrees'))
  expect(program(s, '(%x: f32[2,1]) { return "state:s" = %x }')).toThrow(coded('graph/state-type-agrees'))
  expect(program(s, '(%"state:s": f32[3]) { return y = %"state:s" }')).toThrow(coded('graph/state-type-agrees'))
})
