/** Shape arithmetic leaves the graph, whatever ops it is written with, and what is data stays what it is. */
import {
  type Fired,
  type Graph,
  type HostTensor,
  dropDead,
  interpretGraphSync,
  parseGraph,
  printGraph,
  verifyGraph,
} from '@quern/core-ir'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commonSubexpressions } from './common-subexpressions.ts'
import type { PassContext } from './pass.ts'
import { shapeArithmetic } from './shape-arithmetic.ts'

const context = (notes: Fired[] = []): PassContext => ({
  numerics: 'exact',
  note: fired => void notes.push(...fired),
  bytesOf: () => Promise.reject(new Error('nothing is read')),
  store: () => {
    throw new Error('nothing is stored')
  },
  prepare: () => [],
})
const resolved = async (graph: Graph): Promise<Graph> => {
  const after = dropDead(await shapeArithmetic.run(graph, context()))
  verifyGraph(after)
  return after
}

/** What an importer writes for Shape(x) of x: f32[n,c,h,w]. */
const shapeOf = (dims: readonly string[]): string =>
  [
    ...dims.flatMap((d, i) => [`%d${i} = dim-value(value=${d}, dtype=i64)`, `%e${i} = reshape(%d${i}, shape=[1])`]),
    `%shape = concat(${dims.map((_, i) => `%e${i}`).join(', ')})`,
  ].join('\n')

test('shape, gather, concat, reshape: the chain that exporters write for a flatten', async () => {
  const after = await resolved(
    parseGraph(`graph g<n: 1.., h: 1..64>(%x: f32[n,8,h,4]) {
    ${shapeOf(['n', '8', 'h', '4'])}
    %zero = constant(data=[0], dtype=i64, shape=[])
    %first = gather(%shape, %zero)
    %row = reshape(%first, shape=[1])
    %rest = constant(data=[-1], dtype=i64, shape=[1])
    %to = concat(%row, %rest)
    %y = reshape-to(%x, %to)
    return y = %y
  }`),
  )
  expect(printGraph(after)).toMatchInlineSnapshot(`
    "graph g<n: 1.., h: 1..64>(%x: f32[n,8,h,4]) {
      %y = reshape(%x, shape=[n,32*h]) : f32[n,32*h]
      return y = %y
    }"
  `)
})

test('products, differences, quotients, slices, casts and rounding of dims', async () => {
  const after = await resolved(
    parseGraph(`graph g<n: 1.., h: 2..64, w: 2..64>(%x: f32[n,h,w,2]) {
    ${shapeOf(['n', 'h', 'w', '2'])}
    %hw = slice(%shape, starts=[1], sizes=[2])
    %two = constant(data=[2], dtype=i64, shape=[2])
    %half = div(%hw, %two)
    %f = cast(%hw, dtype=f32)
    %s = constant(data=[0.5], dtype=f32, shape=[2])
    %g = mul(%f, %s)
    %up = ceil(%g)
    %ceiled = cast(%up, dtype=i64)
    %all = reduce-prod(%shape)
    %one = constant(data=[1], dtype=i64, shape=[2])
    %less = sub(%hw, %one)
    return half = %half, ceiled = %ceiled, all = %all, less = %less
  }`),
  )
  expect(after.nodes.every(n => ['dim-value', 'reshape', 'concat'].includes(n.op))).toBe(true)
  const values = after.nodes.filter(n => n.op === 'dim-value').map(n => (n.attrs['value'] as { key: string }).key)
  expect(values).toEqual(
    ['(h // 2)', '(w // 2)', '((h+1) // 2)', '((w+1) // 2)', '2*h*n*w', '(h+-1)', '(w+-1)'].map(v =>
      expect.stringContaining(v.replace(/^\(|\)$/g, '')),
    ),
  )
})

test('data stays data, and a shape that depends on it is refused where it is used', () => {
  const text = `graph g(%x: f32[6], %s: i64[2]) {
    %y = reshape-to(%x, %s)
    return y = %y
  }`
  expect(() => parseGraph(text)).toThrow(expect.objectContaining({ code: 'reshape-to/shape-is-known' }))
})

test('in 32 bits, what may wrap is left to wrap', async () => {
  const after = await resolved(
    parseGraph(`graph g<n: 1.., m: 1..1000>(%x: f32[n,m]) {
    %n = dim-value(value=n, dtype=i32)
    %m = dim-value(value=m, dtype=i32)
    %k = constant(data=[1000], dtype=i32, shape=[])
    %big = mul(%n, %k)
    %small = mul(%m, %k)
    return big = %big, small = %small
  }`),
  )
  expect(after.outputs.map(o => o.value.node?.op)).toEqual(['mul', 'dim-value'])
})

test('equal shapes written differently are one afterwards', async () => {
  const after = await commonSubexpressions.run(
    await resolved(
      parseGraph(`graph g<n: 1..>(%x: f32[n,6]) {
      %n = dim-value(value=n, dtype=i64)
      %two = constant(data=[2], dtype=i64, shape=[])
      %a = mul(%n, %two)
      %b = add(%n, %n)
      return a = %a, b = %b
    }`),
    ),
    context(),
  )
  expect(after.nodes).toHaveLength(1)
})

const operations = ['add', 'sub', 'mul', 'div', 'min', 'max'] as const

test('random arithmetic on dims gives what the interpreter gives', async () => {
  const step = fc.record({
    op: fc.constantFrom(...operations),
    by: fc.integer({ min: -3, max: 5 }),
    swap: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 5 }),
      fc.constantFrom('i64', 'i32', 'u32' as const),
      fc.integer({ min: 1, max: 9 }),
      async (steps, dtype, n) => {
        const lines = steps.map(({ op, by, swap }, i) => {
          const constant = `%c${i} = constant(data=[${dtype === 'u32' ? Math.abs(by) : by}], dtype=${dtype}, shape=[2])`
          return `${constant}\n%v${i + 1} = ${op}(${swap ? `%c${i}, %v${i}` : `%v${i}, %c${i}`})`
        })
        const before = parseGraph(`graph g<n: 1..50, m: 2..9>(%x: u8[n,m]) {
          %n = dim-value(value=n, dtype=${dtype})
          %m = dim-value(value=m, dtype=${dtype})
          %p = reshape(%n, shape=[1])
          %q = reshape(%m, shape=[1])
          %v0 = concat(%p, %q)
          ${lines.join('\n')}
          return y = %v${steps.length}
        }`)
        const after = await resolved(before)
        const x: HostTensor = { dtype: 'u8', shape: [n, 3], data: new Uint8Array(3 * n) }
        expect(interpretGraphSync(after, { x })).toEqual(interpretGraphSync(before, { x }))
      },
    ),
    { numRuns: 150 },
  )
})

test.each([
  '%y = unslice(%x, starts=[1], steps=[1], shape=[2])',
  '%p = pad(%x, low=[1], high=[0]) %y = slice(%p, starts=[0], sizes=[1])',
  '%at = constant(data=[0], dtype=i32, shape=[]) %y = take-rows(%x, %at, axis=0, extent=2)',
])('what may lie outside a dim is data unless no size of it reaches there: %s', async body => {
  const graph = parseGraph(`graph g<n: 1..>(%x: i32[n]) { ${body} return y = %y }`)
  const x: HostTensor = { dtype: 'i32', shape: [3], data: Int32Array.of(-4, 5, 6) }
  expect(interpretGraphSync(await resolved(graph), { x })).toEqual(interpretGraphSync(graph, { x }))
})
