/** @file Threefry as scalar expressions against the known answers that Random123 publishes for 20 rounds. */
import { expect, test } from 'vitest'
import { StatementEmitter } from './expand/emitter.ts'
import { compileScalar } from './evaluate.ts'
import { threefry2x32 } from './random.ts'
import { type Scalar, literal } from './scalar.ts'
import type { Stmt } from '../loop/kernel.ts'
import type { ScalarValue } from './value.ts'

const word = (x: number): Scalar => literal(x, 'u32')

test.each([
  [
    [0, 0],
    [0, 0],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x243f6a88, 0x85a308d3],
    [0x13198a2e, 0x03707344],
    [0xc4923a9c, 0x483df7a0],
  ],
] as const)('counter %j', (counter, key, want) => {
  const statements: Stmt[] = []
  const b = new StatementEmitter(statements, hint => `${hint}${statements.length}`)
  const pair = threefry2x32(
    (hint, value) => b.let(hint, value),
    [word(key[0]), word(key[1])],
    [word(counter[0]), word(counter[1])],
  )
  const values = new Map<string, ScalarValue>()
  const run = (x: Scalar): ScalarValue =>
    compileScalar(x, {
      variable: () => () => 0,
      ref: name => () => values.get(name) ?? Number.NaN,
      load: () => () => 0,
    })()
  for (const s of statements) if (s.kind === 'let') values.set(s.name, run(s.value))
  expect(pair.map(run)).toEqual(want)
})
