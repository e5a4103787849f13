/** Where scores are not stored, and the reason where they are. */
import { type Fired, type Graph, isGraph, parseGraph, printGraph, verifyGraph } from '@quern/core-ir'
import { expect, test } from 'vitest'
import { type RegionOptions, formRegions } from './form-regions.ts'

const decide = (
  text: string,
  options: Partial<RegionOptions> = {},
): { graph: Graph; notes: string[]; kinds: string[] } => {
  const notes: Fired[] = []
  const graph = formRegions(parseGraph(text), {
    maxBuffers: 256,
    nearBytes: 1 << 18,
    note: fired => void notes.push(fired),
    ...options,
  })
  verifyGraph(graph)
  const kinds = graph.nodes.flatMap(n => (isGraph(n.attrs['body']) ? [String(n.attrs['kind'])] : []))
  return { graph, notes: notes.map(n => n.rule), kinds }
}

const plain = (rows = 'n', columns = 'm', between = '%2 = softmax(%1, axis=2)', result = '%4'): string => `
  graph g<n: 1..512, m: 1..512>(%q: f32[4,${rows},16], %k: f32[4,${columns},16], %v: f32[4,${columns},16]) {
    %1 = matmul(%q, %k, transposeRhs=true) : f32[4,${rows},${columns}]
    ${between} : f32[4,${rows},${columns}]
    %3 = matmul(%2, %v) : f32[4,${rows},16]
    %4 = transpose(%3, perm=[1,0,2]) : f32[${rows},4,16]
    return y = ${result}
  }`

test('one region from queries to the turned result', () => {
  const { graph, notes, kinds } = decide(plain())
  expect(notes).toEqual(['attention: 4 × n rows of m scores are not stored'])
  expect(kinds).toEqual(['attention'])
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "graph g<n: 1..512, m: 1..512>(%q: f32[4,n,16], %k: f32[4,m,16], %v: f32[4,m,16]) {
      %0 = region(%q, %k, %v, body=graph region(%x0: f32[4,n,16], %x1: f32[4,m,16], %x2: f32[4,m,16]) {
        %0 = matmul(%x0, %x1, transposeRhs=true) : f32[4,n,m]
        %1 = reduce-max(%0, axes=[2], keepDims=true) : f32[4,n,1]
        %2 = broadcast(%1, shape=[4,n,m]) : f32[4,n,m]
        %3 = sub(%0, %2) : f32[4,n,m]
        %4 = exp(%3) : f32[4,n,m]
        %5 = reduce-sum(%4, axes=[2], keepDims=true) : f32[4,n,1]
        %6 = broadcast(%5, shape=[4,n,m]) : f32[4,n,m]
        %7 = div(%4, %6) : f32[4,n,m]
        %8 = matmul(%7, %x2) : f32[4,n,16]
        %9 = transpose(%8, perm=[1,0,2]) : f32[n,4,16]
        return y0 = %9
      }, kind="attention") : f32[n,4,16]
      return y = %0
    }"
  `)
})

test.each<[string, string, Partial<RegionOptions>]>([
  [
    'kernels of this target have no memory of their own for a block of them',
    plain(),
    { nearBytes: undefined as never },
  ],
  ['options say so', plain(), { fusions: { attention: false } }],
  ['nothing bounds m, and a block keeps whole rows', plain().replace('m: 1..512', 'm: 1..'), {}],
  ['4 rows take 16384 bytes, over 1024 that stay near', plain(), { nearBytes: 1024 }],
  ['1 rows are as soon written as kept', plain('1'), {}],
  ['their products are too narrow for tiles', plain('n', '2'), {}],
])('stored, since %s', (why, text, options) => {
  const { notes, kinds } = decide(text, options)
  expect(notes).toHaveLength(1)
  expect(notes[0]).toContain(`are stored, since ${why}`)
  expect(kinds).not.toContain('attention')
})

test.each([
  ['no work on whole rows', plain('n', 'm', '%2 = relu(%1)')],
  ['work on columns', plain('n', 'n', '%2 = softmax(%1, axis=1)')],
  ['scores that somebody else wants', plain().replace('return y = %4', 'return y = %4, scores = %1')],
  ['weights that somebody else wants', plain().replace('return y = %4', 'return y = %4, weights = %2')],
])('nothing to decide: %s', (_, text) => {
  const { notes, kinds } = decide(text)
  expect(notes).toEqual([])
  expect(kinds).not.toContain('attention')
})

test('a mask is computed where scores meet it, values that are computed are not', () => {
  const text = `graph g<n: 1..256>(%q: f32[2,n,8], %k: f32[2,n,8], %v: f32[2,n,8], %seen: i32[n]) {
    %1 = matmul(%q, %k, transposeRhs=true) : f32[2,n,n]
    %at = iota(shape=[n,n], axis=1) : i32[n,n]
    %s = broadcast(%seen, shape=[n,n]) : i32[n,n]
    %there = lt(%at, %s) : bool[n,n]
    %mask = broadcast(%there, shape=[2,n,n]) : bool[2,n,n]
    %low = constant(data=[-1e9], shape=[]) : f32[]
    %lows = broadcast(%low, shape=[2,n,n]) : f32[2,n,n]
    %2 = select(%mask, %1, %lows) : f32[2,n,n]
    %3 = softmax(%2, axis=2) : f32[2,n,n]
    %w = exp(%v) : f32[2,n,8]
    %4 = matmul(%3, %w) : f32[2,n,8]
    return y = %4
  }`
  const { kinds, graph } = decide(text)
  expect(kinds).toEqual(['elementwise', 'attention'])
  const attention = graph.nodes.at(-1)?.attrs['body']
  expect(isGraph(attention) && attention.nodes.map(n => n.op)).toContain('lt')
})
