/** @file What stays the same leaves a loop, nested ones too, and the meaning stays. */
import { type Graph, interpretGraphSync, isGraph, parseGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { hoistInvariants } from './hoist-invariants.ts'
import type { PassContext } from './pass.ts'

const context: PassContext = {
  numerics: 'exact',
  note: () => {},
  prepare: () => [],
  bytesOf: () => Promise.reject(new Error('no sources here')),
  store: () => {
    throw new Error('nothing is stored')
  },
}
const opsOf = (graph: Graph): string[] => graph.nodes.map(n => n.op)
const bodyOf = (graph: Graph): Graph => {
  const body = graph.nodes.find(n => n.op === 'loop')?.attrs['body']
  if (!isGraph(body)) throw new Error('no loop')
  return body
}
const data = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, (_, i) => Math.sin(i + 1))
const same = async (text: string): Promise<{ before: Graph; after: Graph }> => {
  const before = parseGraph(text)
  const after = await hoistInvariants.run(before, context)
  for (const trips of [0, 1, 3]) {
    const inputs = {
      n: { dtype: 'i32' as const, shape: [], data: new Int32Array([trips]) },
      a: { dtype: 'f32' as const, shape: [2, 2], data: data(4) },
      w: { dtype: 'f32' as const, shape: [2, 2], data: data(4) },
    }
    expect(interpretGraphSync(after, inputs)).toEqual(interpretGraphSync(before, inputs))
  }
  return { before, after }
}
const loop = (body: string, nested = 'loop'): string => `graph g(%n: i32[], %a: f32[2,2], %w: f32[2,2]) {
  %r = ${nested}(%n, _, %a, %w, body=graph body(%i: i32[], %x: f32[2,2], %v: f32[2,2]) {
    %go = constant(data=[1], dtype=bool) : bool[]
    ${body}
  }) : f32[2,2]
  return y = %r
}`

test('a product of weights is computed before the loop', async () => {
  const { after } = await same(
    loop(`%0 = matmul(%v, %v) : f32[2,2]
    %1 = exp(%0) : f32[2,2]
    %2 = mul(%x, %1) : f32[2,2]
    return going = %go, x = %2`),
  )
  expect(opsOf(after)).toEqual(['matmul', 'exp', 'loop'])
  expect(opsOf(bodyOf(after))).toEqual(['constant', 'mul'])
})
test('an op that defines a symbol stays in the graph whose shapes speak of it', async () => {
  const { after } = await same(`graph g(%n: i32[], %a: f32[2,2], %w: f32[2,2]) {
  %r = loop(%n, _, %a, %w, body=graph body<k: 0..4 upto 4>(%i: i32[], %x: f32[2,2], %v: f32[2,2]) {
    %go = constant(data=[1], dtype=bool) : bool[]
    %0, %1 = nonzero(%v) : i64[k,2], i32[]
    %2 = reduce-sum(%0, axes=[0,1]) : i64[]
    %3 = cast(%2, dtype=f32) : f32[]
    %4 = broadcast(%3, shape=[2,2]) : f32[2,2]
    %5 = add(%x, %4) : f32[2,2]
    return going = %go, x = %5
  }) : f32[2,2]
  return y = %r
}`)
  expect(opsOf(after)).toEqual(['loop'])
  expect(opsOf(bodyOf(after))).toContain('nonzero')
})
test('what depends on the trip or on what is carried stays', async () => {
  const { after, before } = await same(
    loop(`%0 = cast(%i, dtype=f32) : f32[]
    %1 = broadcast(%0, shape=[2,2]) : f32[2,2]
    %2 = add(%x, %1) : f32[2,2]
    return going = %go, x = %2`),
  )
  expect(opsOf(bodyOf(after))).toEqual(opsOf(bodyOf(before)))
})
test('views and copies stay inside, and what they are of leaves', async () => {
  const { after } = await same(
    loop(`%0 = exp(%v) : f32[2,2]
    %1 = reshape(%0, shape=[4]) : f32[4]
    %2 = reshape(%x, shape=[4]) : f32[4]
    %3 = add(%1, %2) : f32[4]
    %4 = reshape(%3, shape=[2,2]) : f32[2,2]
    return going = %go, x = %4`),
  )
  expect(opsOf(after)).toEqual(['exp', 'loop'])
  expect(opsOf(bodyOf(after))).toEqual(['constant', 'reshape', 'reshape', 'add', 'reshape'])
})
test('a carried value that never changes by the rest of the body', async () => {
  await same(
    loop(`%0 = exp(%v) : f32[2,2]
    return going = %go, x = %0`),
  )
})
test('from an inner loop through the outer one', async () => {
  const { after } = await same(
    loop(`%t = constant(data=[2], dtype=i32, shape=[]) : i32[]
    %0 = loop(%t, _, %x, %v, body=graph inner(%j: i32[], %p: f32[2,2], %q: f32[2,2]) {
      %go = constant(data=[1], dtype=bool) : bool[]
      %0 = exp(%q) : f32[2,2]
      %1 = add(%p, %0) : f32[2,2]
      return going = %go, p = %1
    }) : f32[2,2]
    return going = %go, x = %0`),
  )
  expect(opsOf(after)).toEqual(['exp', 'loop'])
})
