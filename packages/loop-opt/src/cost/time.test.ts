/** @file Predicted times against the arithmetic they stand for. */
import { type Expr } from '@quern/artifact'
import { ix, parseLowered } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { wasmTarget } from '../target/wasm.ts'
import { costOf } from './kernel-cost.ts'
import { predictedTime } from './predict.ts'
import { longestTime, printTime, repeatedTime, sumOfTimes, timeExpr, timeOf } from './time.ts'

const n = ix.variable('n'),
  m = ix.variable('m')

test('sums, products and the longest of several, term by term', () => {
  const a = timeOf(ix.add(ix.mul(3, n), 10), 0.5),
    b = timeOf(ix.add(n, ix.mul(n, m)), 1)
  expect(printTime(a)).toBe('1.5*n + 5')
  expect(printTime(sumOfTimes(a, b))).toBe('1*m*n + 2.5*n + 5')
  expect(printTime(longestTime(a, b))).toBe('1*m*n + 1.5*n + 5')
  expect(printTime(repeatedTime(a, m))).toBe('5*m + 1.5*m*n')
  expect(printTime(timeOf(ix.floorDiv(n, 4), 0.1))).toBe('0.1*(n // 4)')
  expect(printTime(new Map())).toBe('0')
  expect(timeExpr(a)).toEqual(['+', ['*', 1.5, 'n'], 5] satisfies Expr)
  expect(timeExpr(timeOf(ix.constant(7), 0.001))).toBe(0.007)
  expect(timeExpr(new Map())).toBe(0)
})

test('a plan: copies, kernels, the dearer branch, loops by their limit, counts from data at their bound', () => {
  const program = parseLowered(`program p {
    kernel pairs<n: 1..>(read x: f32[n], write y: f32[n]) {
      for i < n { alloc private acc: f32[] store acc[] = 0.0 for j < n { accumulate acc[] sum= x[j] * x[i] } store y[i] = acc[] }
    }
    kernel one<n: 1..>(read x: f32[n], write y: f32[n]) { for i < n { store y[i] = x[i] + 1.0 } }
    kernel count<n: 1..>(read x: f32[n], write c: i32[], write go: bool[]) { store c[] = 1 store go[] = true }
    kernel iota<k: 0..>(write y: f32[k]) { for i < k { store y[i] = f32(i32[i]) } }
    plan main<n: 1.., k: 0.. upto 2*n> {
      input x: f32[n]
      scratch c: i32[]
      scratch go: bool[]
      scratch t: f32[n]
      output y: f32[k]
      steps {
        kernel count(x, c, go)
        define k = c
        if go { kernel pairs(x, t) } else { kernel one(x, t) }
        loop j upto 5 { kernel one(x, t) }
        kernel iota(y)
      }
    }
  }`)
  const plain = wasmTarget()
  const target = {
    ...plain,
    speed: {
      ...plain.speed,
      gflops: 1e-6,
      bandwidth: 1e-3,
      transfer: 1e-6,
      launchMicroseconds: 0,
      runMicroseconds: 100_000,
    },
  }
  const costs = new Map([...program.kernels].map(([name, kernel]) => [name, costOf(kernel, target)]))
  const [plan] = program.plans
  if (plan === undefined) throw new Error('no plan')
  // A simple operation takes 1 ms, and a byte that a caller passes too: 4n in, 8n out; pairs 2n² + 2n; one 5 times n; iota 2n.
  expect(printTime(predictedTime(plan, costs, target))).toBe('21*n + 2*n*n + 102')
})
