import { describe, expect, test } from 'vitest'
import type { HostTensor } from '../host-tensor.ts'
import { parseLowered } from '../text/parse-plan.ts'
import { interpretPlan } from './interpret.ts'

const f32 = (shape: number[], ...values: number[]): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(values),
})

const map = (name: string, body: string, params = 'read x: f32[n], write y: f32[n]'): string =>
  `kernel ${name}<n: 1..64>(${params}) { for parallel i < n { store y[i] = ${body} } }`

const chain = (memory: string) =>
  parseLowered(`program p {
  ${map('double', 'x[i] * 2.0')}
  ${map('increment', 'x[i] + 1.0')}
  ${map('plus', 'x[i] + z[i]', 'read x: f32[n], read z: f32[n], write y: f32[n]')}
  plan main<n: 1..64> {
    input x: f32[n]
    scratch a: f32[n]
    scratch b: f32[n]
    output y: f32[n]
    steps {
      kernel double(x, a)
      kernel increment(a, b)
      kernel plus(a, b, y)
    }
    ${memory}
  }
}`)

describe('memory', () => {
  const run = (memory: string): number[] =>
    [...(interpretPlan(chain(memory), 'main', { x: f32([3], 1, 2, 3) }).outputs['y']?.data ?? [])].map(Number)
  test('without a memory plan every buffer has its own', () => {
    expect(run('')).toEqual([5, 9, 13])
  })
  test('slots that do not overlap change nothing', () => {
    expect(run('memory { slot s: 256 at 0 holds [a] slot t: 256 at 256 holds [b] peak 512 bound 512 }')).toEqual([
      5, 9, 13,
    ])
  })
  test('two live buffers in one slot give wrong results', () => {
    expect(run('memory { slot s: 256 at 0 holds [a, b] peak 256 bound 256 }')).toEqual([6, 10, 14])
  })
  test('so do slots that overlap', () => {
    expect(run('memory { slot s: 256 at 0 holds [a] slot t: 256 at 0 holds [b] peak 256 bound 256 }')).toEqual([
      6, 10, 14,
    ])
  })
  test('a slot that is too small is refused', () => {
    expect(() => run('memory { slot s: 0 at 0 holds [a] peak 64 bound 64 }')).toThrow(
      expect.objectContaining({ code: 'plan/does-not-fit' }),
    )
  })
})

test('constants are packed, views share memory, outputs come back row-major', () => {
  const program = parseLowered(`program p {
    kernel add(read x: f32[6], read w: f32[3,2], write y: f32[3,2]) {
      for i < 2 { for j < 3 { store y[j, i] = x[3*i + j] + w[j, i] } }
    }
    plan main {
      input x: f32[2,3]
      scratch flat: f32[6] alias x
      constant w: f32[2,3] layout [d1, d0] in [3,2] data [10,20,30,40,50,60]
      output y: f32[2,3] layout [d1, d0] in [3,2] port "result"
      steps { kernel add(flat, w, y) }
    }
  }`)
  expect(interpretPlan(program, 'main', { x: f32([2, 3], 1, 2, 3, 4, 5, 6) }).outputs).toEqual({
    result: f32([2, 3], 11, 22, 33, 44, 55, 66),
  })
})

test('constants elsewhere are asked for', () => {
  const program = parseLowered(`program p {
    ${map('add', 'x[i] + w[i]', 'read x: f32[n], read w: f32[n], write y: f32[n]')}
    plan main<n: 1..64> {
      input x: f32[n]
      constant w: f32[2] data bytes("w.bin", 8, 8, "h")
      output y: f32[n]
      steps { kernel add(x, w, y) }
    }
  }`)
  const weights = new Uint8Array(Float32Array.of(0, 0, 5, 7).buffer)
  const { outputs } = interpretPlan(
    program,
    'main',
    { x: f32([2], 1, 2) },
    { constant: d => weights.slice(d.offset, d.offset + d.length) },
  )
  expect(outputs['y']).toEqual(f32([2], 6, 9))
  expect(() => interpretPlan(program, 'main', { x: f32([2], 1, 2) })).toThrow(
    expect.objectContaining({ code: 'plan/no-constants' }),
  )
})

test('states stay, loops count, conditions are read, symbols are defined', () => {
  const program = parseLowered(`program p {
    kernel step(read_write total: f32[], read_write count: i64[], write more: bool[]) {
      accumulate total[] sum= 1.5
      accumulate count[] sum= 1:i64
      store more[] = count[] < 4:i64
    }
    kernel fill<k: 0..8>(write y: f32[k]) { for i < k { store y[i] = f32(i32[i]) } }
    kernel start(write more: bool[], write count: i64[]) { store more[] = true  store count[] = 0:i64 }
    plan main<k: 0..8 upto 8> {
      state total: f32[] port "sum"
      scratch count: i64[]
      scratch more: bool[]
      output y: f32[k]
      steps {
        kernel start(more, count)
        loop t upto 10 while more { kernel step(total, count, more) }
        if more { } else { define k = count }
        kernel fill(y)
      }
    }
  }`)
  const first = interpretPlan(program, 'main', {})
  expect(first.states).toEqual({ sum: f32([], 6) })
  expect(first.outputs['y']).toEqual(f32([4], 0, 1, 2, 3))
  expect(interpretPlan(program, 'main', {}, { states: first.states }).states).toEqual({ sum: f32([], 12) })
})

const inputs = [
  ['plan/missing-input', {}],
  ['plan/wrong-input', { x: f32([2, 1], 1, 2) }],
  ['plan/wrong-input', { x: { dtype: 'i32', shape: [1], data: Int32Array.of(1) } }],
  ['plan/symbol-out-of-bounds', { x: f32([65], ...Array.from({ length: 65 }, () => 0)) }],
] as const
test.each(inputs)('%s', (code, given) => {
  expect(() => interpretPlan(chain(''), 'main', given as Record<string, HostTensor>)).toThrow(
    expect.objectContaining({ code }),
  )
})

test('the first failure is reported with its kernel', () => {
  const program = parseLowered(`program p {
    kernel check(read x: i32[1], write y: i32[1]) { if x[0] > 3 { fail index-out-of-range at value(x[0]) } store y[0] = x[0] }
    plan main { input x: i32[1] output y: i32[1] steps { kernel check(x, y) } }
  }`)
  const run = (v: number) =>
    interpretPlan(program, 'main', { x: { dtype: 'i32', shape: [1], data: Int32Array.of(v) } }).status
  expect(run(3)).toBeUndefined()
  expect(run(9)).toEqual({ kernel: 'check', reason: 'index-out-of-range', index: 9 })
})
