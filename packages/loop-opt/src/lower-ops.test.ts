/** @file Every op's example means the same lowered as it does interpreted: alone, as one region, on every target. */
import { expandGrads, ops, parseGraph } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from './lower-program.ts'
import { wasmTarget } from './target/wasm.ts'
import { webgpuTarget } from './target/webgpu.ts'
import { asRegion, difference, legalised, programOf, random, randomInputs, symbolValues } from './testing/graphs.ts'

const targets = { wasm: wasmTarget(), 'wasm-threads': wasmTarget({ threads: 2 }), webgpu: webgpuTarget() }

it('refuses what a pass should have replaced', () => {
  const graph = parseGraph(ops.get('grad')?.example ?? '')
  expect(() => lowerProgram(programOf(graph), targets.wasm)).toThrow('grad is no part of a kernel')
  expect(() => lowerProgram(programOf(asRegion(graph)), targets.wasm)).toThrow('grad is no part of a kernel')
})

describe.each(Object.entries(targets))('on %s', (_, target) => {
  it.each([...ops.values()].map(op => [op.name, op] as const))('%s', (_name, op) => {
    // As a pass does before lowering.
    const graph = expandGrads(parseGraph(op.example))
    const lowered = lowerProgram(programOf(graph), target)
    const whole = graph.nodes.some(n => ['if', 'loop', 'nonzero'].includes(n.op))
      ? lowered
      : lowerProgram(programOf(asRegion(graph)), target)
    for (const size of [1, 3, 8]) {
      const inputs = randomInputs(graph, symbolValues(graph, size), random(size))
      expect(difference(graph, legalised(lowered), inputs)).toBeUndefined()
      expect(difference(graph, legalised(whole), inputs)).toBeUndefined()
    }
  })
})
