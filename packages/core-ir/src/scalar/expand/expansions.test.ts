/** @file Accuracy of the expansions in single precision, computed by basic ops alone, and their edge values. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unaryFunction } from '../arithmetic.ts'
import { pow } from '../math.ts'
import { binaryOps, unaryOps } from '../scalar-ops.ts'
import { expandOp, expansions, isExpanded } from './expansions.ts'
import { type Scalar, childrenOf } from '../scalar.ts'
import { expandedUnary, sweep } from './testing/sweep.ts'
import { runnable } from './testing/run-expansion.ts'
import { ulpDistance } from './testing/ulp.ts'

const bits = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0] ?? 0
const fromBits = (b: number): number => new Float32Array(new Uint32Array([b]).buffer)[0] ?? 0

test('exactly the ops that are not basic have expansions', () => {
  const rows = { ...unaryOps, ...binaryOps }
  const notBasic = Object.entries(rows).flatMap(([op, row]) => (row.basic ? [] : [op]))
  expect(Object.keys(expansions).sort()).toEqual(notBasic.sort())
  expect(expandedUnary.length + 1).toBe(notBasic.length)
})

test.each(expandedUnary)('%s is within 4 ulp over the whole range', op => {
  const worst = sweep(op, 19_997)
  console.info(`${op}: at most ${worst.ulp.toFixed(2)} ulp, at ${worst.at}, of ${worst.points} arguments`)
  expect(worst.ulp).toBeLessThanOrEqual(4)
})

test.each(['sin', 'cos'] as const)('%s near multiples of π/2, small and huge', op => {
  const run = runnable(expansions[op], 'f32', 1)
  let worst = 0
  for (let k = 1; k < 1e38; k = Math.max(k + 1, k * 1.01)) {
    const near = bits(Math.round(k) * (Math.PI / 2))
    for (let d = -2; d <= 2; d++) {
      const x = fromBits(near + d)
      worst = Math.max(worst, ulpDistance(Number(run(x)), Math[op](x), 'f32'))
    }
  }
  // Where a float comes closest of all to a multiple of π/2.
  for (const x of [16367173 * 2 ** 72, 5.3716228e11, 6400, fromBits(bits(6400) + 1), fromBits(0x7f7fffff)])
    worst = Math.max(worst, ulpDistance(Number(run(Math.fround(x))), Math[op](Math.fround(x)), 'f32'))
  expect(worst).toBeLessThanOrEqual(4)
})

const tiny = 2 ** -149
describe('edge values', () => {
  test.each([
    [
      'exp',
      [
        [0, 1],
        [-0, 1],
        [tiny, 1],
        [Infinity, Infinity],
        [-Infinity, 0],
        [NaN, NaN],
        [88.8, Infinity],
        [-104, 0],
        [-103.2, tiny],
      ],
    ],
    [
      'log',
      [
        [0, -Infinity],
        [-0, -Infinity],
        [1, 0],
        [Infinity, Infinity],
        [-1, NaN],
        [-Infinity, NaN],
        [-tiny, NaN],
        [NaN, NaN],
        [tiny, Math.fround(-149 * Math.LN2)],
      ],
    ],
    [
      'sin',
      [
        [0, 0],
        [-0, -0],
        [tiny, tiny],
        [-tiny, -tiny],
        [Infinity, NaN],
        [-Infinity, NaN],
        [NaN, NaN],
      ],
    ],
    [
      'cos',
      [
        [0, 1],
        [-0, 1],
        [tiny, 1],
        [Infinity, NaN],
        [-Infinity, NaN],
        [NaN, NaN],
      ],
    ],
    [
      'tanh',
      [
        [0, 0],
        [-0, -0],
        [tiny, tiny],
        [-tiny, -tiny],
        [Infinity, 1],
        [-Infinity, -1],
        [NaN, NaN],
        [20, 1],
        [-3e38, -1],
      ],
    ],
    [
      'erf',
      [
        [0, 0],
        [-0, -0],
        [tiny, tiny],
        [Infinity, 1],
        [-Infinity, -1],
        [NaN, NaN],
        [10, 1],
        [-3e38, -1],
      ],
    ],
    [
      'sigmoid',
      [
        [0, 0.5],
        [-0, 0.5],
        [Infinity, 1],
        [-Infinity, 0],
        [NaN, NaN],
        [100, 1],
        [-103.2, tiny],
      ],
    ],
  ] as const)('%s', (op, cases) => {
    const run = runnable(expansions[op], 'f32', 1)
    expect(cases.map(([x]) => [x, run(Math.fround(x))])).toEqual(cases)
  })
  test('a bounded result stays within its bounds', () => {
    for (const [op, low] of [
      ['tanh', -1],
      ['erf', -1],
      ['sigmoid', 0],
      ['sin', -1],
      ['cos', -1],
    ] as const) {
      const run = runnable(expansions[op], 'f32', 1)
      for (let x = -12; x < 12; x += 0.0037) {
        const y = Number(run(Math.fround(x)))
        expect([op, x, y >= low && y <= 1]).toEqual([op, x, true])
      }
    }
  })
})

describe('pow', () => {
  const run = runnable(expansions.pow, 'f32', 2)
  const special = [
    0,
    1,
    0.5,
    2,
    3,
    tiny,
    2 ** -126,
    1e20,
    16777217,
    8388609,
    3.4e38,
    1.0000001,
    0.99999994,
    Infinity,
  ].flatMap(x => [x, -x])
  const values = [...special, NaN].map(Math.fround)
  test('special cases of IEEE 754', () => {
    const wrong = values
      .flatMap(x => values.map(y => [x, y] as const))
      .filter(([x, y]) => {
        const want = pow(x, y),
          rounded = Math.fround(want)
        const exact = !Number.isFinite(rounded) || rounded === 0 || x === 1 || y === 0
        return exact ? !Object.is(run(x, y), rounded) : ulpDistance(Number(run(x, y)), want, 'f32') > 4
      })
    expect(wrong).toEqual([])
  })
  test('within 4 ulp wherever the result is finite', () => {
    let worst = 0
    const anything = fc.integer({ min: 1, max: 0x7f7fffff }).map(fromBits)
    const nearOne = fc
      .tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: 0, max: 22 }))
      .map(([u, k]) => Math.fround(1 + (u * 2 ** -k) / 2))
    fc.assert(
      fc.property(fc.oneof(anything, nearOne), fc.double({ min: -155, max: 155, noNaN: true }), (x, exponent) => {
        const log = Math.log2(x),
          y = Math.fround(log === 0 ? exponent : exponent / log)
        worst = Math.max(worst, ulpDistance(Number(run(x, y)), pow(x, y), 'f32'))
        return worst <= 4
      }),
      { numRuns: 30_000 },
    )
    console.info(`pow: at most ${worst.toFixed(2)} ulp`)
  })
})

describe('double precision', () => {
  const doubles = fc.oneof(
    fc.double({ noNaN: true }),
    fc.double({ min: -750, max: 750, noNaN: true }),
    fc.double({ min: -3, max: 7, noNaN: true }),
    fc.integer({ min: -4_000_000, max: 4_000_000 }).map(k => (k * Math.PI) / 2),
  )
  // The reference of erf is itself only good to some units.
  test.each(expandedUnary.map(op => [op, op === 'erf' ? 12 : 4] as const))('%s is within %d ulp', (op, allowed) => {
    const run = runnable(expansions[op], 'f64', 1),
      exact = unaryFunction(op, 'f64')
    let worst = 0
    fc.assert(
      fc.property(doubles, x => {
        worst = Math.max(worst, ulpDistance(Number(run(x)), Number(exact(x)), 'f64'))
        return worst <= allowed
      }),
      { numRuns: 10_000 },
    )
    console.info(`f64 ${op}: at most ${worst.toFixed(2)} ulp`)
  })
  test('pow is within 4 ulp, special cases included', () => {
    const run = runnable(expansions.pow, 'f64', 2)
    const special = fc.constantFrom(
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      0.5,
      -0.5,
      Infinity,
      -Infinity,
      NaN,
      2 ** 53 + 2,
      -(2 ** 52 + 1),
      5e-324,
      -5e-324,
    )
    let worst = 0
    fc.assert(
      fc.property(
        fc.oneof(special, fc.double(), fc.double({ min: -3, max: 3 })),
        fc.oneof(special, fc.double(), fc.double({ min: -300, max: 300 })),
        (x, y) => {
          worst = Math.max(worst, ulpDistance(Number(run(x, y)), pow(x, y), 'f64'))
          return worst <= 4
        },
      ),
      { numRuns: 20_000 },
    )
    console.info(`f64 pow: at most ${worst.toFixed(2)} ulp`)
  })
})

test('an expansion holds basic ops only, and its rare case is a vector body', () => {
  for (const op of Object.keys(expansions)) {
    if (!isExpanded(op as never)) throw new Error(op)
    const { statements, result } = runnable(expansions[op as keyof typeof expansions], 'f32', op === 'pow' ? 2 : 1)
    const ops: string[] = []
    const visit = (x: Scalar): void => {
      if (x.kind === 'unary' || x.kind === 'binary') ops.push(x.op)
      childrenOf(x).forEach(visit)
    }
    visit(result)
    const walk = (stmts: typeof statements): void => {
      for (const s of stmts) {
        if (s.kind === 'let' || s.kind === 'store') visit(s.value)
        else if (s.kind === 'if') {
          visit(s.condition)
          expect(s.else).toEqual([])
          walk(s.then)
        } else expect(s.kind).toBe('alloc')
      }
    }
    walk(statements)
    expect(ops.filter(o => isExpanded(o as never))).toEqual([])
  }
})

test('half precision rounds the result of single precision', () => {
  const run = runnable((b, ...xs) => expandOp(b, 'exp', 'f16', xs), 'f16', 1)
  expect([1, -20, 12].map(x => run(x))).toEqual([2.71875, 0, Infinity])
})
