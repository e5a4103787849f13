/** Every op in the interpreter against an implementation that shares nothing with it. */
import { type DType, isQuernError } from '@quern/artifact'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GraphBuilder, tensorType } from '../graph/builder.ts'
import type { Graph } from '../graph/graph.ts'
import type { HostTensor } from '../host-tensor.ts'
import * as ix from '../index/index-expr.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { ops } from './registry.ts'
import { type Case, Draw } from './testing/draw.ts'
import { elementwiseCases } from './testing/elementwise.cases.ts'
import { randomCases } from './testing/random-cases.ts'
import { numbersOf, oneNode, runOne, runOp } from './testing/support.ts'

const tolerance: Partial<Record<DType, number>> = { f16: 2e-3, f32: 2e-5, f64: 1e-8 }
/** A product that is summed, and each step of a decomposition, is rounded to 11 bits; the references round once. */
const halvesInSteps = 1e-2
const close = (op: string, dtype: DType, found: number, wanted: number): boolean => {
  const near = dtype === 'f16' && !(op in elementwiseCases) ? halvesInSteps : (tolerance[dtype] ?? 0)
  return (
    Object.is(found, wanted) ||
    found === wanted ||
    (isFloat(dtype) && Math.abs(found - wanted) <= near * (1 + Math.abs(wanted)))
  )
}

describe.each(Object.entries(randomCases))('%s', (op, property) => {
  test('is what the reference says', () => {
    fc.assert(
      fc.property(fc.gen(), gen => {
        const { operands, attrs, expected } = property(new Draw(gen))
        const wanted = Array.isArray(expected) ? (expected as readonly HostTensor[]) : [expected as HostTensor]
        const found = runOp(op, operands, attrs)
        expect(found.length).toBe(wanted.length)
        found.forEach((t, i) => {
          const other = wanted[i]
          expect(t.dtype).toBe(other?.dtype)
          expect(t.shape).toEqual(other?.shape)
          const numbers = other === undefined ? [] : numbersOf(other)
          const wrong = numbersOf(t).findIndex((v, at) => !close(op, t.dtype, v, numbers[at] ?? NaN))
          if (wrong >= 0)
            expect.fail(
              `${op} ${JSON.stringify(attrs)} gives ${numbersOf(t)[wrong]} at ${wrong}, not ${numbers[wrong]}`,
            )
        })
      }),
      { numRuns: 40 },
    )
  })
})

test('every op but control flow, regions and randomness has a reference', () => {
  const others = ['if', 'loop', 'grad', 'region', 'random-bits', 'random-uniform', 'random-normal']
  expect([...ops.keys()].filter(name => !(name in randomCases) && !others.includes(name))).toEqual([])
})

/** A graph whose dims are symbols, or undefined where a constraint wants more than symbols can prove. */
const symbolic = (op: string, { operands, attrs = {} }: Case): Graph | undefined => {
  try {
    return oneNode(op, operands, attrs, 'all')
  } catch (error) {
    if (isQuernError(error)) return undefined
    throw error
  }
}

// Those whose constraints or attributes tie their operands' dims to numbers.
const needsNumbers =
  /^(constant|iota|dim-value|broadcast|broadcast-to|sum-to|reshape|reshape-to|conv|conv-transpose|take-pooled|random-.*)$/

describe.each(Object.entries(randomCases).filter(([op]) => !needsNumbers.test(op)))('%s', (op, property) => {
  test('means the same over symbols', () => {
    let tried = 0
    fc.assert(
      fc.property(fc.gen(), gen => {
        const drawn = property(new Draw(gen))
        const graph = symbolic(op, drawn)
        if (graph === undefined) return
        tried++
        expect(runOne(graph, drawn.operands)).toEqual(runOp(op, drawn.operands, drawn.attrs))
      }),
      { numRuns: 25 },
    )
    expect(tried).toBeGreaterThan(5)
  })
})

test('convolutions mean the same over a symbolic batch and picture', () => {
  fc.assert(
    fc.property(fc.gen(), gen => {
      const d = new Draw(gen)
      const drawn = randomCases['conv']?.(d)
      const [x, weight] = drawn?.operands ?? []
      if (drawn === undefined || x === undefined || weight === undefined) return
      const b = new GraphBuilder('conv')
      const [, channels = 0, ...picture] = x.shape
      const names = ['n', ...picture.map((_, i) => `p${i}`)]
      for (const name of names) b.declare({ name, min: 0, max: undefined, multipleOf: 1 })
      const [n, ...ps] = names.map(name => ix.variable(name))
      const image = b.input('in0', tensorType(x.dtype, [n ?? 0, channels, ...ps]))
      const y = b.one('conv', [image, b.input('in1', tensorType(weight.dtype, weight.shape))], drawn.attrs)
      const [found] = runOne(b.finish({ out0: y }), drawn.operands)
      expect([found]).toEqual(runOp('conv', drawn.operands, drawn.attrs))
    }),
    { numRuns: 40 },
  )
})
