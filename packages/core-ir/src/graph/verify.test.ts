import { expect, test } from 'vitest'
import { variable } from '../index/index-expr.ts'
import { matmul } from '../ops/matmul.ts'
import { ops } from '../ops/registry.ts'
import { parseGraph } from '../text/parse-graph.ts'
import { GraphBuilder, tensorType } from './builder.ts'
import type { Graph, Node, Value } from './graph.ts'
import { graphDiagnostics, verifyGraph } from './verify.ts'

const graph = parseGraph(`graph g<n: 1..>(%a: f32[n,4], %b: f32[4,5]) {
  %0 = matmul(%a, %b) : f32[n,5]
  %1 = matmul(%0, %b, transposeRhs=true) : f32[n,4]
  return y = %1
}`)
const [first, second] = graph.nodes as [Node, Node]

test('a sound graph has no findings', () => {
  expect(graphDiagnostics(graph)).toEqual([])
  expect(() => verifyGraph(graph)).not.toThrow()
})

const withResult = (node: Node, change: Partial<Value>): Graph => {
  const results: Value[] = []
  const changed = { ...node, results }
  results.push({ ...(node.results[0] as Value), node: changed, ...change })
  return { ...graph, nodes: [changed], outputs: [{ name: 'y', value: results[0] as Value }] }
}
const withAttrs = (attrs: Node['attrs']): Graph => {
  const base = withResult(first, {})
  const node = base.nodes[0] as Node
  return { ...base, nodes: [Object.assign(node, { attrs })] }
}
const other = parseGraph(matmul.example)

const bad: readonly (readonly [string, string, Graph])[] = [
  ['a wrong extent', 'graph/wrong-type', withResult(first, { type: tensorType('f32', [variable('n'), 6]) })],
  ['a wrong dtype', 'graph/wrong-type', withResult(first, { type: tensorType('f16', [variable('n'), 5]) })],
  [
    'an undeclared symbol',
    'graph/undeclared-symbol',
    withResult(first, { type: tensorType('f32', [variable('m'), 5]) }),
  ],
  ['a result of another node', 'graph/wrong-result', withResult(first, { node: second })],
  ['use before definition', 'graph/out-of-order', { ...graph, nodes: [second, first] }],
  [
    'a captured value',
    'graph/captured-value',
    { ...graph, nodes: [first, { ...second, operands: other.inputs.map(i => i.value), results: [] }], outputs: [] },
  ],
  ['a captured output', 'graph/captured-value', { ...graph, outputs: other.outputs }],
  ['an unknown op', 'graph/unknown-op', { ...graph, nodes: [{ ...first, op: 'matmull', results: [] }], outputs: [] }],
  ['an attribute of the wrong kind', 'matmul/wrong-attribute', withAttrs({ ...first.attrs, transposeLhs: 1 })],
  ['an attribute that the op has not', 'matmul/wrong-attribute', withAttrs({ ...first.attrs, axis: 1 })],
  ['a constraint', 'matmul/inner-dims-agree', withAttrs({ ...first.attrs, transposeRhs: true })],
  ['a node twice', 'graph/defined-twice', { ...graph, nodes: [first, first, second] }],
  ['two inputs of one name', 'graph/defined-twice', { ...graph, inputs: [...graph.inputs, ...graph.inputs] }],
  [
    'bounds that nothing meets',
    'graph/wrong-symbol',
    { ...graph, symbols: new Map([['n', { name: 'n', min: 3, max: 2, multipleOf: 1 }]]) },
  ],
]
test.each(bad)('%s is found', (_, code, broken) => {
  expect(graphDiagnostics(broken).map(d => d.code)).toContain(code)
  expect(() => verifyGraph(broken)).toThrow(expect.objectContaining({ name: 'QuernError' }))
})

test('a finding underlines its place in the printed graph', () => {
  expect(graphDiagnostics({ ...graph, nodes: [second, first] })[0]?.frame).toMatchInlineSnapshot(`
    "1 | graph g<n: 1..>(%a: f32[n,4], %b: f32[4,5]) {
    2 |   %0 = matmul(%1, %b, transposeRhs=true) : f32[n,4]
      |               ^^
    3 |   %1 = matmul(%a, %b) : f32[n,5]"
  `)
})

test.each([...ops.values()].map(op => [op.name, op] as const))('the example of %s is sound', (_, op) => {
  expect(graphDiagnostics(parseGraph(op.example))).toEqual([])
})

test.each(['axis', 'toString', 'constructor'])('an op refuses an attribute %s that it does not have', name => {
  const b = new GraphBuilder('g', new Map())
  const x = b.input('x', tensorType('f32', [2]))
  expect(() => b.add('relu', [x], { [name]: 1 })).toThrow(expect.objectContaining({ code: 'relu/unknown-attribute' }))
})
