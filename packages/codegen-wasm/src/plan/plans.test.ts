import { type HostArray, bytesOf, wasmHeader } from '@quern/artifact'
import {
  type ConstantData,
  type HostTensor,
  type LoweredProgram,
  bytesOfArray,
  interpretPlan,
  packConstant,
  parseLowered,
} from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { assemble } from '../assemble.ts'
import { emitWasm } from '../emit-wasm.ts'
import { evaluate } from '../../../runtime/src/expr.ts'

const f32 = (shape: number[], ...values: number[]): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(values),
})
const inlineBytes = (data: ConstantData): Uint8Array =>
  data.kind === 'inline' ? bytesOfArray(Float32Array.from(data.values, Number)) : new Uint8Array()

/** Loads a program as the runtime does: weights copied, symbols and inputs written, outputs read after the run. */
const load = async (program: LoweredProgram, init: Readonly<Record<string, ConstantData>> = {}) => {
  const states = new Map(
    program.plans.flatMap(p => p.buffers.filter(b => b.kind === 'state').map(b => [b.port ?? b.name, b])),
  )
  const emitted = emitWasm(program, {
    threads: false,
    relaxed: false,
    clock: true,
    states: [...states].map(([name, b]) => ({ name, type: { dtype: b.dtype, shape: b.shape }, init: init[name] })),
  })
  const weights = new Uint8Array(emitted.weightsBytes)
  for (const c of emitted.constants) {
    const shape = c.buffer.shape.map(e => (e.kind === 'const' ? e.value : 0))
    weights.set(
      packConstant(
        inlineBytes(c.buffer.data ?? { kind: 'inline', values: [] }),
        c.buffer.dtype,
        shape,
        c.buffer.layout,
      ),
      c.at,
    )
  }
  for (const s of emitted.states)
    if (s.data !== undefined && s.init !== undefined) weights.set(inlineBytes(s.data), s.init)
  const memory = new WebAssembly.Memory({ initial: 2 })
  new Uint8Array(memory.buffer).set(weights, emitted.layout.constantsAt)
  const module = await WebAssembly.compile(
    new Uint8Array(await assemble(emitted.wat, { threads: false, relaxed: false })),
  )
  const ticks: number[] = []
  const clock = (step: number): void => void ticks.push(step)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, clock } })
  const run = (
    name: string,
    inputs: Readonly<Record<string, HostTensor>>,
    symbols: Readonly<Record<string, number>> = {},
  ) => {
    const entry = emitted.entries[name]
    const main = exports[entry?.export ?? '']
    if (entry === undefined || typeof main !== 'function') throw new Error(`no entry ${name}`)
    const words = new DataView(memory.buffer)
    for (const [s, at] of Object.entries(emitted.layout.symbols)) words.setInt32(at, symbols[s] ?? 0, true)
    const at = (buffer: number): number => evaluate(entry.buffers[buffer] ?? 0, symbols)
    for (const port of entry.inputs) {
      const tensor = inputs[port.name]
      if (tensor !== undefined) new Uint8Array(memory.buffer).set(bytesOfArray(tensor.data), at(port.buffer))
    }
    const status = Number(main(0))
    const bound: Record<string, number> = {}
    for (const [s, word] of Object.entries(emitted.layout.symbols)) bound[s] = words.getInt32(word, true)
    const outputs = Object.fromEntries(
      entry.outputs.map(port => {
        const shape = port.shape.map(e => evaluate(e, bound))
        const bytes = memory.buffer.slice(
          at(port.buffer),
          at(port.buffer) + shape.reduce((p, d) => p * d, bytesOf[port.dtype]),
        )
        const data: HostArray =
          port.dtype === 'f32'
            ? new Float32Array(bytes)
            : port.dtype === 'i32'
              ? new Int32Array(bytes)
              : new Uint8Array(bytes)
        return [port.name, { dtype: port.dtype, shape, data }]
      }),
    )
    return { status, index: words.getInt32(wasmHeader.statusIndex, true), outputs }
  }
  /** The steps that a run tells its clock. */
  const profile = (...args: Parameters<typeof run>): readonly number[] => {
    ticks.length = 0
    const words = new DataView(memory.buffer)
    words.setInt32(wasmHeader.profile, 1, true)
    run(...args)
    words.setInt32(wasmHeader.profile, 0, true)
    return [...ticks]
  }
  return { emitted, run, profile, ticks }
}

const map = (name: string, body: string, params = 'read x: f32[n], write y: f32[n]'): string =>
  `kernel ${name}<n: 1..64>(${params}) { for i < n { store y[i] = ${body} } }`

describe('a plan does what its interpreter does', () => {
  test('slots, views, copies and constants in a layout, at any n', async () => {
    const program = parseLowered(`program p {
      ${map('double', 'x[i] * 2.0')}
      ${map('scaled', 'x[i] * w[i % 2, 1]', 'read x: f32[n], read w: f32[2,3], write y: f32[n]')}
      plan main<n: 1..64> {
        input x: f32[n]
        constant w: f32[3,2] layout [d1, d0] in [2,3] data [1, 2, 3, 4, 5, 6]
        constant same: f32[3,2] layout [d1, d0] in [2,3] data [1, 2, 3, 4, 5, 6]
        scratch a: f32[n]
        scratch view: f32[1,n] alias a
        scratch b: f32[n]
        output y: f32[n]
        steps {
          kernel double(x, a)
          kernel scaled(view, w, b)
          kernel scaled(b, same, a)
          copy a -> y
        }
        memory {
          slot s0: (n + 15) // 16 * 64 at 0 holds [x, b]
          slot s1: (n + 15) // 16 * 64 at (n + 15) // 16 * 64 holds [a]
          slot s2: (n + 15) // 16 * 64 at (n + 15) // 16 * 128 holds [y]
          peak (n + 15) // 16 * 192
          bound (n + 15) // 16 * 128
        }
      }
    }`)
    const wasm = await load(program)
    expect(wasm.emitted.constants.map(c => [c.at, c.bytes])).toEqual([[0, 24]])
    for (const n of [1, 2, 5, 64]) {
      const x = f32([n], ...Array.from({ length: n }, (_, i) => i + 0.5))
      const { status, outputs } = wasm.run('main', { x }, { n })
      expect(status).toBe(0)
      expect(outputs).toEqual(interpretPlan(program, 'main', { x }).outputs)
      expect(wasm.ticks).toEqual([])
      // double, scaled twice, and the copy.
      expect(wasm.profile('main', { x }, { n })).toEqual([-1, 0, 1, 1, 2])
      wasm.ticks.length = 0
    }
  })

  test('a count from data, clamped to its bound, sizes what follows', async () => {
    const program = parseLowered(`program p {
      kernel count<n: 1..64>(read x: f32[n], write c: i64[]) {
        alloc register k: i64[]
        store k[] = 0:i64
        for i < n { if x[i] > 0.0 { accumulate k[] sum= 1:i64 } }
        store c[] = k[]
      }
      kernel iota<k: 0..64>(write y: f32[k]) { for i < k { store y[i] = f32(i32[i]) } }
      plan main<n: 1..64, k: 0..64 upto n - 1> {
        input x: f32[n]
        scratch c: i64[]
        output y: f32[k]
        steps {
          kernel count(x, c)
          define k = c
          kernel iota(y)
        }
      }
    }`)
    const wasm = await load(program)
    for (const values of [[1, -1, 2, -2], [1, 1, 1, 1], [-1, -1, -1, 0], [3]]) {
      const x = f32([values.length], ...values)
      expect(wasm.run('main', { x }, { n: values.length }).outputs).toEqual(
        interpretPlan(program, 'main', { x }).outputs,
      )
    }
  })

  test('branches, loops with a counter, a condition and a limit from data, and a state', async () => {
    const program = parseLowered(`program p {
      kernel more<j: 0..>(read_write s: f32[2], read x: f32[2], write go: bool[]) {
        for i < 2 { accumulate s[i] sum= x[i] + f32(i32[j]) }
        store go[] = s[0] < 20.0
      }
      kernel start(read x: f32[2], write go: bool[], write big: bool[], write most: i32[]) {
        store go[] = true
        store big[] = x[0] > 2.0
        store most[] = i32(x[1])
      }
      kernel out(read s: f32[2], write y: f32[2]) { for i < 2 { store y[i] = s[i] } }
      kernel less(read s: f32[2], write y: f32[2]) { for i < 2 { store y[i] = 0.0 - s[i] } }
      plan main {
        input x: f32[2]
        state s: f32[2] port "sum"
        scratch go: bool[]
        scratch big: bool[]
        scratch most: i32[]
        output y: f32[2]
        steps {
          kernel start(x, go, big, most)
          loop j upto buffer(most) while go { kernel more(s, x, go) }
          loop j upto 2 { kernel more(s, x, go) }
          if big { kernel out(s, y) } else { kernel less(s, y) }
        }
      }
    }`)
    const wasm = await load(program, { sum: { kind: 'inline', values: [1, 2] } })
    expect(wasm.emitted.states).toMatchObject([{ name: 'sum', shape: [2], init: 0 }])
    let sum = f32([2], 1, 2)
    for (const values of [
      [1, 3],
      [4, 100],
      [0, 0],
      [-30, 5],
    ]) {
      const x = f32([2], ...values)
      const wanted = interpretPlan(program, 'main', { x }, { states: { sum } })
      expect(wasm.run('main', { x }).outputs).toEqual(wanted.outputs)
      sum = wanted.states['sum'] ?? sum
    }
    // start, more for as long as data says and twice again, then one of the branches.
    expect(wasm.ticks).toEqual([])
    expect(wasm.profile('main', { x: f32([2], 999, 3) })).toEqual([-1, 1, 0, 0, 0, 2])
    expect(wasm.profile('main', { x: f32([2], -99, 3) })).toEqual([-1, 1, 0, 0, 0, 3])
  })
})

test('the first failure is reported with its kernel, reason and index, and the next run starts clean', async () => {
  const program = parseLowered(`program p {
    ${map('fine', 'x[i]')}
    kernel check<n: 1..64>(read x: f32[n], write y: f32[n]) {
      for i < n // 4 {
        for vector v < 4 {
          if x[4*i + v] > 9.0 { fail index-out-of-range at 4*i + v }
          store y[4*i + v] = x[4*i + v]
        }
      }
    }
    plan main<n: 1..64> {
      input x: f32[n]
      scratch t: f32[n]
      output y: f32[n]
      steps { kernel fine(x, t) kernel check(t, y) }
    }
  }`)
  const wasm = await load(program)
  const run = (...values: number[]) => wasm.run('main', { x: f32([8], ...values) }, { n: 8 })
  expect(run(1, 2, 3, 4, 5, 6, 7, 8)).toMatchObject({ status: 0 })
  expect(run(1, 2, 3, 4, 5, 10, 7, 11)).toMatchObject({ status: (1 << 8) | 2, index: 5 })
  expect(run(1, 2, 3, 4, 5, 6, 7, 8)).toMatchObject({ status: 0 })
})

test('text that is no WebAssembly is a defect of ours, shown with its line', async () => {
  await expect(
    assemble('(module\n  (func (result i32)\n    (i32.ad (i32.const 1))))', { threads: false, relaxed: false }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [QuernError: [compiler/bad-wasm] this is a defect of the compiler, not of the model: the generated WebAssembly is refused: unexpected token "i32.ad", expected an instr.
          1 | (module
          2 |   (func (result i32)
    >     3 |     (i32.ad (i32.const 1))))]
  `)
  await expect(
    assemble('(module (func (result i32) (i64.const 1)))', { threads: false, relaxed: false }),
  ).rejects.toThrow('type mismatch')
})
