import { describe, expect, test } from 'vitest'
import { printGraph } from '../graph/print.ts'
import { interpretGraphSync } from '../graph/interpret.ts'
import { evaluateIndex } from '../index/index-expr.ts'
import { parseGraph } from '../text/parse-graph.ts'
import { isFloat } from '../scalar/scalar-ops.ts'
import { ops } from './registry.ts'
import { randomTensor } from './testing/support.ts'

describe.each([...ops.values()])('$name', op => {
  test('says what it does, attribute by attribute', () => {
    expect(op.doc.length).toBeGreaterThan(10)
    for (const [name, spec] of Object.entries(op.attrs)) expect(spec.doc.length, name).toBeGreaterThan(3)
    const ids = op.constraints.map(c => c.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const c of op.constraints) expect(c.says.length, c.id).toBeGreaterThan(3)
  })

  test('has exactly one semantics', () => {
    const semantics = [op.compute, op.loops, op.decompose].filter(x => x !== undefined).length
    const native = ['control', 'constant', 'region'].includes(op.class)
    expect(semantics).toBe(native ? 0 : 1)
    expect(op.class === 'composite').toBe(op.decompose !== undefined)
    expect(op.class === 'loops').toBe(op.loops !== undefined)
  })

  test('says whether it has a gradient', () => {
    // A composite is differentiated through what it decomposes into.
    if (op.decompose === undefined) expect(op.gradient).toBeDefined()
    if (op.gradient === 'none') expect(op.doc).toMatch(/Not differentiable: /)
  })

  test('gives no floats if it has no gradient, unless it is a region', () => {
    // Else a loss that goes through it would stop with an error: a rule, or 'zero' where it is constant, is owed.
    const results = parseGraph(op.example)
      .nodes.filter(n => n.op === op.name)
      .flatMap(n => n.results)
    if (op.gradient !== 'none' || op.class === 'region') return
    expect(results.filter(r => isFloat(r.type.dtype))).toEqual([])
  })

  test('has an example that parses, prints as it was written, and runs', () => {
    const graph = parseGraph(op.example)
    expect(graph.nodes.map(n => n.op)).toContain(op.name)
    expect(printGraph(graph)).toBe(op.example)
    const symbols = new Map([...graph.symbols.keys()].map(name => [name, 3]))
    const inputs = Object.fromEntries(
      graph.inputs.map(({ name, value: { type } }) => [
        name,
        randomTensor(
          type.dtype,
          type.shape.map(d => evaluateIndex(d, symbols)),
          1,
        ),
      ]),
    )
    const outputs = interpretGraphSync(graph, inputs)
    for (const { name, value } of graph.outputs) {
      expect(outputs[name]?.dtype).toBe(value.type.dtype)
      expect(outputs[name]?.shape).toHaveLength(value.type.shape.length)
    }
  })
})
