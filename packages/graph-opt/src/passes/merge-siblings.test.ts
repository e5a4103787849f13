/** Products of one operand become one where their readers do not care, and stay as they are where somebody would have to copy. */
import { type Fired, type Graph, interpretGraph, parseGraph, printGraph, verifyGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { mergeSiblings } from './merge-siblings.ts'
import type { PassContext } from './pass.ts'

const merge = async (
  text: string,
  limits: PassContext['limits'] = {},
  fusions: PassContext['fusions'] = {},
): Promise<{ graph: Graph; notes: string[] }> => {
  const notes: Fired[] = []
  const unused = (): never => {
    throw new Error('merging reads and stores no bytes')
  }
  const context: PassContext = {
    numerics: 'exact',
    note: fired => void notes.push(...fired),
    bytesOf: unused,
    store: unused,
    prepare: unused,
    limits,
    fusions,
  }
  const graph = await mergeSiblings.run(parseGraph(text), context)
  verifyGraph(graph)
  return { graph, notes: notes.map(n => n.rule) }
}

const inline = (name: string, shape: readonly number[], seed: number): string => {
  const count = shape.reduce((a, b) => a * b, 1)
  const data = Array.from({ length: count }, (_, i) => ((i * 7 + seed * 5) % 11) - 5)
  return `%${name} = constant(data=[${data.join(',')}], shape=[${shape.join(',')}]) : f32[${shape.join(',')}]`
}

const count = (graph: Graph, op: string): number => graph.nodes.filter(n => n.op === op).length

/** Same results, bit for bit, on the interpreter. */
const same = async (text: string, after: Graph, n: number): Promise<void> => {
  const data = Float32Array.from({ length: n * 4 }, (_, i) => Math.sin(i))
  const x = { dtype: 'f32' as const, shape: [n, 4], data }
  const [before, now] = await Promise.all([parseGraph(text), after].map(g => interpretGraph(g, { x })))
  expect(now).toEqual(before)
}

const heads = `graph g<n: 1..>(%x: f32[n,4]) {
    ${inline('q', [6, 4], 1)}
    ${inline('qb', [6], 2)}
    ${inline('k', [6, 4], 3)}
    ${inline('kb', [6], 4)}
    ${inline('v', [6, 4], 5)}
    ${inline('vb', [6], 6)}
    %1 = matmul(%x, %q, transposeRhs=true) : f32[n,6]
    %2 = broadcast(%qb, shape=[n,6]) : f32[n,6]
    %3 = add(%1, %2) : f32[n,6]
    %4 = reshape(%3, shape=[n,3,2]) : f32[n,3,2]
    %5 = transpose(%4, perm=[1,0,2]) : f32[3,n,2]
    %6 = matmul(%x, %k, transposeRhs=true) : f32[n,6]
    %7 = broadcast(%kb, shape=[n,6]) : f32[n,6]
    %8 = add(%6, %7) : f32[n,6]
    %9 = reshape(%8, shape=[n,3,2]) : f32[n,3,2]
    %10 = transpose(%9, perm=[1,2,0]) : f32[3,2,n]
    %11 = matmul(%5, %10) : f32[3,n,n]
    %12 = matmul(%x, %v, transposeRhs=true) : f32[n,6]
    %13 = broadcast(%vb, shape=[n,6]) : f32[n,6]
    %14 = add(%13, %12) : f32[n,6]
    %15 = reshape(%14, shape=[n,3,2]) : f32[n,3,2]
    %16 = transpose(%15, perm=[1,0,2]) : f32[3,n,2]
    %17 = matmul(%11, %16) : f32[3,n,2]
    return y = %17
  }`

test('queries and keys become one product with a joint bias, over symbolic rows; another order of operands is other work', async () => {
  const { graph, notes } = await merge(heads)
  expect(notes).toEqual(['merge-siblings: 2 products of one operand, 6 + 6 columns'])
  const text = printGraph(graph).replaceAll(/^.*constant\(.*\n/gm, '')
  expect(text).toMatchInlineSnapshot(`
    "graph g<n: 1..>(%x: f32[n,4]) {
      %0 = concat(%q, %k) : f32[12,4]
      %1 = matmul(%x, %0, transposeRhs=true) : f32[n,12]
      %2 = concat(%qb, %kb) : f32[12]
      %3 = broadcast(%2, shape=[n,12]) : f32[n,12]
      %4 = add(%1, %3) : f32[n,12]
      %5 = slice(%4, starts=[0,0], sizes=[n,6], steps=[1,1]) : f32[n,6]
      %6 = reshape(%4, shape=[n,6,2]) : f32[n,6,2]
      %7 = slice(%6, starts=[0,0,0], sizes=[n,3,2], steps=[1,1,1]) : f32[n,3,2]
      %8 = transpose(%7, perm=[1,0,2]) : f32[3,n,2]
      %9 = slice(%4, starts=[0,6], sizes=[n,6], steps=[1,1]) : f32[n,6]
      %10 = slice(%6, starts=[0,3,0], sizes=[n,3,2], steps=[1,1,1]) : f32[n,3,2]
      %11 = transpose(%10, perm=[1,2,0]) : f32[3,2,n]
      %12 = matmul(%8, %11) : f32[3,n,n]
      %13 = matmul(%x, %v, transposeRhs=true) : f32[n,6]
      %14 = broadcast(%vb, shape=[n,6]) : f32[n,6]
      %15 = add(%14, %13) : f32[n,6]
      %16 = reshape(%15, shape=[n,3,2]) : f32[n,3,2]
      %17 = transpose(%16, perm=[1,0,2]) : f32[3,n,2]
      %18 = matmul(%12, %17) : f32[3,n,2]
      return y = %18
    }"
  `)
  await same(heads, graph, 5)
})

test('the same with the bias on one side: all three', async () => {
  const text = heads.replace('add(%13, %12)', 'add(%12, %13)')
  const { graph, notes } = await merge(text)
  expect(notes).toEqual(['merge-siblings: 3 products of one operand, 6 + 6 + 6 columns'])
  expect(count(graph, 'matmul')).toBe(3)
  await same(text, graph, 1)
  await same(text, graph, 9)
})

const pair = (
  behind: string,
  weights = [inline('a', [4, 6], 1), inline('b', [4, 6], 2)],
): string => `graph g<n: 1..>(%x: f32[n,4]) {
    ${weights.join('\n')}
    %1 = matmul(%x, %a) : f32[n,6]
    %2 = matmul(%x, %b) : f32[n,6]
    ${behind}
  }`

test('columns of different widths, and an activation that all have in common', async () => {
  const text = pair(
    `%3 = relu(%1) : f32[n,6]
    %4 = relu(%2) : f32[n,2]
    %5 = transpose(%3, perm=[1,0]) : f32[6,n]
    %6 = transpose(%4, perm=[1,0]) : f32[2,n]
    return y = %5, z = %6`,
    [inline('a', [4, 6], 1), inline('b', [4, 2], 2)],
  ).replace('matmul(%x, %b) : f32[n,6]', 'matmul(%x, %b) : f32[n,2]')
  const { graph } = await merge(text)
  expect([count(graph, 'matmul'), count(graph, 'relu'), count(graph, 'concat')]).toEqual([1, 1, 1])
  await same(text, graph, 3)
})

test.each([
  ['one is a result of the model', 'return y = %1, z = %2'],
  [
    'element-wise work that is not common would no longer be done where the product is stored',
    `%3 = relu(%1) : f32[n,6]
    %4 = tanh(%2) : f32[n,6]
    %5 = mul(%3, %4) : f32[n,6]
    return y = %5`,
  ],
  [
    'a reshape that cuts through columns of several would have to copy',
    `%3 = reshape(%1, shape=[6*n]) : f32[6*n]
    %4 = reshape(%2, shape=[6*n]) : f32[6*n]
    %5 = concat(%3, %4) : f32[12*n]
    return y = %5`,
  ],
])('stays as it is: %s', async (_, behind) => {
  const { graph, notes } = await merge(pair(behind))
  expect(notes).toEqual([])
  expect(count(graph, 'matmul')).toBe(2)
})

const transposed = `%3 = transpose(%1, perm=[1,0]) : f32[6,n]
    %4 = transpose(%2, perm=[1,0]) : f32[6,n]
    return y = %3, z = %4`

test('stays as it is where the matrices would not be joined at build, or nobody wants it', async () => {
  expect((await merge(pair(transposed))).notes).toHaveLength(1)
  expect((await merge(pair(transposed), { prepareBytes: 100 })).notes).toEqual([])
  expect((await merge(pair(transposed), {}, { siblings: false })).notes).toEqual([])
})

test('stays as it is where a matrix is needed elsewhere too, or is no constant', async () => {
  const shared = pair(transposed.replace('return', '%5 = transpose(%a, perm=[1,0]) : f32[6,4]\n    return w = %5,'))
  expect((await merge(shared)).notes).toEqual([])
  const state = pair(transposed, [inline('a', [4, 6], 1)]).replace('%x: f32[n,4]', '%x: f32[n,4], %b: f32[4,6]')
  expect((await merge(state)).notes).toEqual([])
})

test('cuts that are reshaped become cuts of the reshaped, where units stay whole', async () => {
  const text = `graph g(%x: f32[1,12]) {
    %0 = sin(%x) : f32[1,12]
    %1 = slice(%0, starts=[0,0], sizes=[1,4]) : f32[1,4]
    %2 = reshape(%1, shape=[2,1,2]) : f32[2,1,2]
    %3 = slice(%0, starts=[0,4], sizes=[1,8]) : f32[1,8]
    %4 = reshape(%3, shape=[4,1,2]) : f32[4,1,2]
    %5 = slice(%0, starts=[0,1], sizes=[1,4]) : f32[1,4]
    %6 = reshape(%5, shape=[2,1,2]) : f32[2,1,2]
    return a = %2, b = %4, c = %6
  }`
  const { graph } = await merge(text)
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "graph g(%x: f32[1,12]) {
      %0 = sin(%x) : f32[1,12]
      %1 = slice(%0, starts=[0,0], sizes=[1,4], steps=[1,1]) : f32[1,4]
      %2 = reshape(%0, shape=[6,1,2]) : f32[6,1,2]
      %3 = slice(%2, starts=[0,0,0], sizes=[2,1,2], steps=[1,1,1]) : f32[2,1,2]
      %4 = slice(%0, starts=[0,4], sizes=[1,8], steps=[1,1]) : f32[1,8]
      %5 = slice(%2, starts=[2,0,0], sizes=[4,1,2], steps=[1,1,1]) : f32[4,1,2]
      %6 = slice(%0, starts=[0,1], sizes=[1,4], steps=[1,1]) : f32[1,4]
      %7 = reshape(%6, shape=[2,1,2]) : f32[2,1,2]
      return a = %3, b = %5, c = %7
    }"
  `)
})
