import { expect, test } from 'vitest'
import { printGraph } from '../graph/print.ts'
import { matmul } from '../ops/matmul.ts'
import { parseGraph } from './parse-graph.ts'

test('the example of an op prints as it was written', () => {
  expect(printGraph(parseGraph(matmul.example))).toBe(matmul.example)
})

const text = `graph head<n: 1..4096 by 4, k: 0..64 upto min(64, n)>(%features: f32[n,784], %"w 0": f32[64,784] as "state:w") {
  %x = matmul(%features, %"w 0", transposeRhs=true) : f32[n,64]   // digits.model.ts:9:42
  %x.1 = matmul(%x, %x, transposeLhs=true) : f32[64,64]   // digits.model.ts:9:34+3 as "x"
  %0 = matmul(%x, %x.1) : f32[n,64]
  return hidden = %0, "state:w" = %x.1
}`

test('names, symbols, origins and ports print as they were written', () => {
  expect(printGraph(parseGraph(text))).toBe(text)
})

test('types may be left out, and symbols declared by use', () => {
  expect(printGraph(parseGraph('graph g(%a: f32[n,3], %b: f32[3,4]) {\n  %y = matmul(%a, %b)\n  return y = %y\n}')))
    .toMatchInlineSnapshot(`
      "graph g<n: 1..>(%a: f32[n,3], %b: f32[3,4]) {
        %y = matmul(%a, %b) : f32[n,4]
        return y = %y
      }"
    `)
})

const codes = [
  ['text/syntax', 'graph g(%a f32[2]) { return }'],
  ['graph/unknown-op', 'graph g(%a: f32[2]) {\n  %0 = matmull(%a) : f32[2]\n  return y = %0\n}'],
  ['graph/unknown-value', 'graph g(%a: f32[2]) {\n  return y = %b\n}'],
  ['graph/defined-twice', 'graph g(%a: f32[2], %a: f32[2]) {\n  return y = %a\n}'],
  ['graph/undeclared-symbol', 'graph g<n: 1..>(%a: f32[m]) {\n  return y = %a\n}'],
  ['matmul/unknown-attribute', 'graph g(%a: f32[2,2]) {\n  %0 = matmul(%a, %a, axis=1) : f32[2,2]\n  return y = %0\n}'],
  ['matmul/inner-dims-agree', 'graph g(%a: f32[2,3]) {\n  %0 = matmul(%a, %a)\n  return y = %0\n}'],
] as const
test.each(codes)('%s is reported at its place', (code, source) => {
  expect(() => parseGraph(source)).toThrow(
    expect.objectContaining({ code, details: expect.objectContaining({ frame: expect.stringContaining('^') }) }),
  )
})
