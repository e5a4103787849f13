import { describe, expect, test } from 'vitest'
import { parseKernel } from '../text/parse-kernel.ts'
import { type InterpretOptions, interpretKernel } from './interpret.ts'
import type { Kernel, Stmt } from './kernel.ts'
import { visitStmts } from './walk.ts'

const floats = (n: number, at: (i: number) => number = i => Math.sin(i * 1.7)): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => at(i))

/** The kernel without its n-th barrier. */
const withoutBarrier = (kernel: Kernel, n: number): Kernel => {
  let seen = 0
  const strip = (stmts: readonly Stmt[]): Stmt[] =>
    stmts.flatMap((s): Stmt[] => {
      if (s.kind === 'barrier') return seen++ === n ? [] : [s]
      if (s.kind === 'for') return [{ ...s, body: strip(s.body) }]
      return s.kind === 'if' ? [{ ...s, then: strip(s.then), else: strip(s.else) }] : [s]
    })
  return { ...kernel, body: strip(kernel.body) }
}
const barriersOf = (kernel: Kernel): number => {
  let count = 0
  visitStmts(kernel.body, s => {
    if (s.kind === 'barrier') count++
  })
  return count
}

const cases = {
  'tiled matmul with shared memory': {
    kernel: parseKernel(`kernel matmul<m: 1.., n: 1.., k: 1..>(
      read a: f32[m,k], read b: f32[k,n], write y: f32[m,n]
    ) {
      for workgroup.y by < (m + 3) // 4 {
        for workgroup.x bx < (n + 3) // 4 {
          alloc shared ta: f32[4,4]
          alloc shared tb: f32[4,4]
          for thread.y ty < 4 {
            for thread.x tx < 4 {
              alloc register acc: f32[1]
              store acc[0] = 0.0
              for kk < (k + 3) // 4 {
                store ta[ty, tx] = (and(i32[4*by + ty] < i32[m], i32[4*kk + tx] < i32[k]) ? a[4*by + ty, 4*kk + tx] : 0.0)
                store tb[ty, tx] = (and(i32[4*kk + ty] < i32[k], i32[4*bx + tx] < i32[n]) ? b[4*kk + ty, 4*bx + tx] : 0.0)
                barrier
                for i < 4 {
                  accumulate acc[0] sum= ta[ty, i] * tb[i, tx]
                }
                barrier
              }
              if and(i32[4*by + ty] < i32[m], i32[4*bx + tx] < i32[n]) {
                store y[4*by + ty, 4*bx + tx] = acc[0]
              }
            }
          }
        }
      }
    }`),
    run: (kernel: Kernel, options: InterpretOptions) => {
      const [m, n, k] = [6, 5, 9]
      const a = floats(m * k),
        b = floats(k * n, i => Math.cos(i)),
        y = new Float32Array(m * n)
      interpretKernel(kernel, { buffers: { a, b, y }, symbols: { m, n, k } }, options)
      const expected = floats(m * n, at => {
        let sum = 0
        for (let p = 0; p < k; p++)
          sum = Math.fround(sum + Math.fround((a[Math.floor(at / n) * k + p] ?? 0) * (b[p * n + (at % n)] ?? 0)))
        return sum
      })
      return { y, expected }
    },
  },
  'tree reduction': {
    kernel: parseKernel(`kernel total(read x: i32[64], write y: i32[1]) {
      for workgroup.x g < 1 {
        alloc shared part: i32[16]
        for thread.x t < 16 {
          store part[t] = x[t] + x[t + 16] + x[t + 32] + x[t + 48]
          barrier
          for level < 4 {
            let half = shr(8, i32[level])
            if i32[t] < half {
              accumulate part[t] sum= part[t + value(half)]
            }
            barrier
          }
          if i32[t] == 0 {
            store y[0] = part[0]
          }
        }
      }
    }`),
    run: (kernel: Kernel, options: InterpretOptions) => {
      const x = Int32Array.from({ length: 64 }, (_, i) => i * i),
        y = new Int32Array(1)
      interpretKernel(kernel, { buffers: { x, y }, symbols: {} }, options)
      return { y, expected: Int32Array.of(x.reduce((a, b) => a + b)) }
    },
  },
  'team kernel with a barrier': {
    kernel: parseKernel(`kernel softmax_ish(read x: f32[50], read_write t: f32[50], write y: f32[50]) {
      for parallel i < 50 {
        store t[i] = x[i] * 2.0
      }
      barrier
      for parallel j < 50 {
        store y[j] = t[49 - j]
      }
    }`),
    run: (kernel: Kernel, options: InterpretOptions) => {
      const x = floats(50),
        t = new Float32Array(50),
        y = new Float32Array(50)
      interpretKernel(kernel, { buffers: { x, t, y }, symbols: {} }, options)
      return { y, expected: floats(50, i => (x[49 - i] ?? 0) * 2) }
    },
  },
}

describe.each(Object.entries(cases))('%s', (_, { kernel, run }) => {
  test.each([0, 1, 2, 3])('is right in any order (seed %i)', seed => {
    const { y, expected } = run(kernel, { seed, teamSize: seed + 1 })
    expect(y).toEqual(expected)
  })
  test.each(Array.from({ length: barriersOf(kernel) }, (_x, i) => i))('races without its barrier %i', n => {
    for (const seed of [0, 1, 2])
      expect(() => run(withoutBarrier(kernel, n), { seed })).toThrow(expect.objectContaining({ code: 'loop/race' }))
  })
})

test('a race names the buffer, the element and both statements', () => {
  const kernel = parseKernel(`kernel clash(write y: i32[4]) {
    for parallel i < 8 {
      store y[i // 2] = i32[i]
    }
  }`)
  expect(() => interpretKernel(kernel, { buffers: { y: new Int32Array(4) }, symbols: {} }))
    .toThrowErrorMatchingInlineSnapshot(`
    [QuernError: [loop/race] clash races on y[1]: write after write, with no barrier between
      store y[i // 2] = i32[i]
      store y[i // 2] = i32[i]]
  `)
})

test('workgroups are never ordered by barriers', () => {
  const kernel = parseKernel(`kernel neighbours(read_write y: i32[4]) {
    for workgroup.x g < 4 {
      for thread.x t < 1 {
        store y[g] = 1
        barrier
        let seen = y[(g + 1) % 4]
      }
    }
  }`)
  expect(() => interpretKernel(kernel, { buffers: { y: new Int32Array(4) }, symbols: {} })).toThrow(
    expect.objectContaining({ code: 'loop/race' }),
  )
})

test('in place: an element read by another iteration than the one that writes it races', () => {
  const kernel = parseKernel(`kernel shift(read x: f32[16], write y: f32[16]) {
    for parallel i < 16 { store y[i] = x[(i + 1) % 16] }
  }`)
  const x = floats(16)
  interpretKernel(kernel, { buffers: { x, y: new Float32Array(16) }, symbols: {} })
  expect(() => interpretKernel(kernel, { buffers: { x, y: x }, symbols: {} })).toThrow(
    expect.objectContaining({ code: 'loop/race' }),
  )
  const map = parseKernel(`kernel twice(read x: f32[16], write y: f32[16]) {
    for parallel i < 16 { store y[i] = x[i] + x[i] }
  }`)
  const z = floats(16)
  interpretKernel(map, { buffers: { x: z, y: z }, symbols: {} })
  expect(z).toEqual(floats(16, i => Math.fround(Math.sin(i * 1.7)) * 2))
})

test('lanes of a vector are independent', () => {
  const run = (body: string) => () =>
    interpretKernel(parseKernel(`kernel lanes(read_write y: f32[8]) { ${body} }`), {
      buffers: { y: new Float32Array(8) },
      symbols: {},
    })
  const fine = 'for vector v < 4 { alloc register own: f32[1]\n store own[0] = y[v]\n store y[v] = own[0] * 2.0 }'
  expect(run(`for i < 2 { ${fine} }`)).not.toThrow()
  const bodies = [
    'store y[v + 1] = y[v]',
    'store y[v // 2] = 1.0',
    'let a = y[(v + 1) % 4]\n store y[v] = a',
    'accumulate y[0] sum= 1.0',
  ]
  for (const body of bodies)
    expect(run(`for vector v < 4 { ${body} }`)).toThrow(expect.objectContaining({ code: 'loop/race' }))
  const register = 'alloc register r: f32[4]\n for vector v < 4 { store r[value(0 * i32[v])] = 1.0 }'
  expect(run(register)).toThrow(/another lane/)
})

const faults = [
  ['loop/out-of-bounds', 'for i < 17 { store y[i] = 1.0 }'],
  ['loop/out-of-bounds', 'store y[-1] = 1.0'],
  ['loop/out-of-bounds', 'alloc register r: f32[2,2]\n store r[0, 2] = 1.0'],
  ['loop/uninitialised', 'alloc private p: f32[3]\n store p[0] = 1.0\n store y[0] = p[1]'],
  [
    'loop/uninitialised',
    'for i < 2 { alloc register r: f32[1]\n if i32[i] == 0 { store r[0] = 1.0 }\n store y[0] = r[0] }',
  ],
  ['loop/uninitialised', 'alloc register r: f32[1]\n accumulate r[0] sum= 1.0'],
  ['loop/barrier-divergence', 'for workgroup.x g < 1 { for thread.x t < 4 { if i32[t] < 2 { barrier } } }'],
] as const
test.each(faults)('%s: %s', (code, body) => {
  const kernel = parseKernel(`kernel faulty(write y: f32[10]) { ${body} }`)
  expect(() => interpretKernel(kernel, { buffers: { y: new Float32Array(10) }, symbols: {} })).toThrow(
    expect.objectContaining({ code }),
  )
})

test('a map may run over the end, up to the padding, and not across rows', () => {
  const y = new Float32Array(10)
  interpretKernel(parseKernel('kernel flat(write y: f32[10]) { for i < 16 { store y[i] = f32(i32[i]) } }'), {
    buffers: { y },
    symbols: {},
  })
  expect([...y]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const rows = parseKernel('kernel rows(write y: f32[2,5]) { for i < 8 { store y[0, i] = 1.0 } }')
  expect(() => interpretKernel(rows, { buffers: { y }, symbols: {} })).toThrow(
    expect.objectContaining({ code: 'loop/out-of-bounds' }),
  )
})

test('fail keeps the first reason, and every dtype is stored as the host holds it', () => {
  const kernel = parseKernel(`kernel dtypes(write h: f16[2], write l: i64[2], write b: bool[2]) {
    store h[0] = f16(1.5)
    store h[1] = f16(-inf)
    store l[0] = -3:i64
    store l[1] = 9007199254740993:i64
    store b[1] = 2 < 3
    store b[0] = false
    fail index-out-of-range at 7
    fail loop-limit at 8
  }`)
  const h = new Uint16Array(2),
    l = new BigInt64Array(2),
    b = new Uint8Array(2)
  expect(interpretKernel(kernel, { buffers: { h, l, b }, symbols: {} }).status).toEqual({
    reason: 'index-out-of-range',
    index: 7,
  })
  expect([...h, ...l, ...b]).toEqual([0x3e00, 0xfc00, -3n, 9007199254740993n, 0, 1])
})

test('a million steps are quick', () => {
  const kernel = parseKernel(`kernel dot(read x: f32[1024], read w: f32[1024,1000], write y: f32[1000]) {
    for parallel j < 1000 {
      alloc register acc: f32[1]
      store acc[0] = 0.0
      for i < 1000 { accumulate acc[0] sum= x[i] * w[i, j] }
      store y[j] = acc[0]
    }
  }`)
  const start = performance.now()
  interpretKernel(kernel, {
    buffers: { x: floats(1024), w: floats(1024 * 1000), y: new Float32Array(1000) },
    symbols: {},
  })
  expect(performance.now() - start).toBeLessThan(5000)
})
