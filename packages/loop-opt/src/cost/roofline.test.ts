/** @file The parts of the cost model against what can be counted by hand, and the roofline against itself. */
import { GraphBuilder, type Index, type Kernel, type SymbolInfo, ix, parseKernel, parseLowered } from '@quern/core-ir'
import { describe, expect, test } from 'vitest'
import { lowerProgram } from '../lower-program.ts'
import { programOf } from '../testing/graphs.ts'
import { wasmTarget } from '../target/wasm.ts'
import { webgpuTarget } from '../target/webgpu.ts'
import { coreTime } from './core-time.ts'
import { costText } from './cost-text.ts'
import { portsOf, spilled } from './cycles.ts'
import { rooflineOf } from './roofline.ts'
import { missesOf, touchedBy } from './traffic.ts'

const target = wasmTarget()
const none = new Map<string, number>()

const productOf = (rows: Index, symbol?: SymbolInfo) => {
  const b = new GraphBuilder('product')
  if (symbol !== undefined) b.declare(symbol)
  const side = ix.constant(256)
  const x = b.input('x', { dtype: 'f32', shape: [rows, side] }),
    w = b.input('w', { dtype: 'f32', shape: [side, side] })
  return programOf(b.finish({ y: b.one('matmul', [x, w]) }))
}

describe('traffic', () => {
  const product = parseKernel(`kernel product(read a: f32[64,1024], read b: f32[64,1024], write y: f32[64,64]) {
    for i < 64 { for j < 64 { alloc register acc: f32[] store acc[] = 0.0
      for k < 1024 { accumulate acc[] sum= a[i,k] * b[j,k] }
      store y[i,j] = acc[] } }
  }`)
  test('what fits is brought in once; what does not, once for each round of the loop that does not keep it', () => {
    const at = (capacity: number) => Object.fromEntries(missesOf(product, none, capacity))
    // Everything: two matrices of 256 KiB and one of 16.
    expect(at(2 ** 20)).toEqual({ a: 2 ** 18, b: 2 ** 18, y: 2 ** 14 })
    // One row of each fits, all of b does not: b passes 64 times, rows of a stay while they are needed.
    expect(at(2 ** 15)).toEqual({ a: 2 ** 18, b: 64 * 2 ** 18, y: 2 ** 14 })
  })
  test('elements that are apart bring a line each', () => {
    const column = parseKernel(`kernel column(read x: f32[1000,512], write y: f32[1000]) {
      for i < 1000 { store y[i] = x[i, 0] }
    }`)
    expect(touchedBy(column, none).get('x')).toBe(1000 * 64)
  })
  test('rows that data chooses are as many as are read, not the whole table', () => {
    const rows = parseKernel(`kernel rows(read table: f32[50000,128], read at: i32[8], write y: f32[8,128]) {
      for i < 8 { for j < 128 { store y[i, j] = table[value(at[i]), j] } }
    }`)
    expect(touchedBy(rows, none).get('table')).toBeLessThan(50_000 * 128)
  })
})

/** `sums` sums of vectors in registers, each fed by one product a round. */
const sums = (count: number): Kernel =>
  parseKernel(`kernel sums(read a: f32[1024], read b: f32[1024,${count * 4}], write y: f32[${count * 4}]) {
    alloc register acc: f32[${count},4]
    for k < 1024 { for unroll u < ${count} { for vector l < 4 { accumulate acc[u,l] sum= a[k] * b[k, 4*u + l] } } }
  }`)

describe('a core', () => {
  const cycles = (kernel: Kernel) => coreTime(kernel, none, target)
  test('waits for the last addition where sums are few, and is limited by products where they are many', () => {
    expect(cycles(sums(1)).parts).toMatchObject({ latency: 3 * 1024, arithmetic: 0, registers: 0, loops: 512 })
    const eight = cycles(sums(8))
    // Nine loads at two a cycle are more than sixteen operations at four.
    expect(eight.parts).toMatchObject({ latency: 0, L1: 4.5 * 1024, registers: 0 })
    expect(eight.operations).toBe(2 * 8 * 4 * 1024)
    expect(eight.bytes).toBe(1024 * (4 + 8 * 16))
  })
  test('loads and stores what its registers do not hold', () => {
    expect(cycles(sums(15)).parts.registers).toBe(0)
    expect(cycles(sums(24)).parts.registers).toBeGreaterThan(0)
    expect(spilled(24, 15)).toEqual({ loads: 9, stores: 9 })
  })
  test('has ports of its own for each kind of instruction', () => {
    const { core } = target
    if (core === undefined) throw new Error('a CPU has a core')
    expect(portsOf({ arithmetic: 16, loads: 5, stores: 2, chain: 1 }, core)).toEqual({
      arithmetic: 4,
      L1: 2.5,
      latency: 3,
    })
  })
})

describe('the roofline of a plan', () => {
  const program = parseLowered(`program p {
    kernel heavy(read x: f32[4096], write y: f32[4096]) { for i < 4096 { store y[i] = exp(exp(exp(x[i]))) } }
    kernel wide(read w: f32[4194304], read x: f32[4096], write y: f32[1024]) {
      for i < 1024 { alloc register acc: f32[] store acc[] = 0.0
        for k < 4096 { accumulate acc[] sum= w[4096*i + k] * x[k] }
        store y[i] = acc[] }
    }
    kernel tiny(read x: f32[1024], write y: f32[1]) { store y[0] = x[0] }
    plan main {
      input x: f32[4096]
      constant w: f32[4194304] data bytes("w", 0, 16777216, "0")
      scratch t: f32[4096]
      scratch u: f32[1024]
      output y: f32[1]
      steps {
        kernel heavy(x, t)
        kernel wide(w, t, u)
        loop j upto 3 { kernel tiny(u, y) }
      }
    }
  }`)
  const [plan] = program.plans
  if (plan === undefined) throw new Error('no plan')
  const rows = rooflineOf({ plan, scheduled: program.kernels, plain: program.kernels, target }, {})
  const of = (name: string) => rows.find(r => r.kernel === name)

  test('names what each kernel is bound by, and counts its calls', () => {
    expect(of('heavy')).toMatchObject({ calls: 1, operations: 3 * 28 * 4096, bound: 'arithmetic' })
    expect(of('tiny')).toMatchObject({ calls: 3, bound: 'overhead' })
  })
  test('brings from memory what a whole run touches in between, and from near what the step before left', () => {
    const [, , , memory] = of('wide')?.bytes ?? []
    expect(memory).toBe(2 ** 24)
    expect(of('wide')?.floor).toBeCloseTo(2 ** 24 / 25e6, 5)
    expect(of('heavy')?.bytes.at(-1)).toBe(2 ** 14)
  })
  test('never predicts less than the floor', () => {
    for (const r of rows) expect(r.predicted).toBeGreaterThanOrEqual(r.floor)
  })
})

test.each([
  ['wasm', target, 1],
  ['wasm on a team', wasmTarget({ threads: 16 }), 2],
  ['webgpu', webgpuTarget(), 1],
] as const)(
  '%s: a product that is scheduled moves less than one that is not, and lies above its floor',
  (_, on, threads) => {
    const lowered = lowerProgram(productOf(ix.constant(256)), on)
    const [plan] = lowered.plans
    if (plan === undefined) throw new Error('no plan')
    const plain = new Map([...lowered.unscheduled].map(([name, u]) => [name, u.region.kernel]))
    const [made] = rooflineOf({ plan, scheduled: lowered.kernels, plain, target: on }, {}, threads)
    const [bare] = rooflineOf({ plan, scheduled: plain, plain, target: on }, {}, threads)
    expect(made?.operations).toBe(2 * 256 ** 3)
    expect(made?.bytes[1]).toBeLessThan((bare?.bytes[1] ?? 0) / 2)
    expect(made?.predicted).toBeLessThanOrEqual(bare?.predicted ?? 0)
    expect(made?.floor).toBeLessThanOrEqual(made?.predicted ?? 0)
    expect(costText(lowered, on, {}, threads)).toMatch(
      /kernel +calls +operations[^\n]*floor ms +predicted ms +of floor +bound by\nmatmul/,
    )
  },
)

test('dims without a size are shown at their least and their largest', () => {
  const lowered = lowerProgram(productOf(ix.variable('n'), { name: 'n', min: 1, max: 512, multipleOf: 1 }), target)
  expect(costText(lowered, target, {})).toMatch(/main at n = 1, one thread[^]*main at n = 512, one thread/)
  expect(costText(lowered, target, { n: 7 })).toMatch(/main at n = 7, one thread/)
  expect(costText(lowered, target, { n: 7 })).not.toContain('n = 512')
})
