/** @file Folding keeps the meaning, stops at its size, and leaves what is cheap to make. */
import { interpretGraphSync, parseGraph, printGraph } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { foldConstants, foldingBudget } from './fold-constants.ts'
import { dropDead } from '@quern/core-ir'
import type { PassContext } from './pass.ts'

const stored: Uint8Array[] = []
const context: PassContext = {
  numerics: 'algebraic',
  note: () => {},
  bytesOf: () => Promise.reject(new Error('no sources here')),
  prepare: () => [],
  store: bytes => {
    stored.push(bytes)
    return { kind: 'bytes', source: `folded:${stored.length - 1}`, offset: 0, length: bytes.length, hash: '' }
  },
}
const fold = async (text: string) => {
  const graph = parseGraph(text)
  const folded = dropDead(await foldConstants.run(graph, context))
  return { graph, folded, text: printGraph(folded) }
}

describe('fold-constants', () => {
  it('computes chains at once', async () => {
    const { graph, folded, text } = await fold(
      `graph g<n: 1..>(%x: f32[n,2]) {
      %0 = constant(data=[1,2]) : f32[2]
      %c = constant(data=[1,2], shape=[2]) : f32[2]
      %1 = exp(%c) : f32[2]
      %2 = mul(%1, %c) : f32[2]
      %3 = broadcast(%2, shape=[n,2]) : f32[n,2]
      %4 = add(%x, %3) : f32[n,2]
      return y = %4
    }`.replace('%0 = constant(data=[1,2]) : f32[2]\n', ''),
    )
    expect(folded.nodes.map(n => n.op)).toEqual(['constant', 'broadcast', 'add'])
    expect(text).toContain('broadcast')
    const x = { dtype: 'f32' as const, shape: [1, 2], data: new Float32Array([3, 4]) }
    expect(interpretGraphSync(folded, { x })).toEqual(interpretGraphSync(graph, { x }))
  })
  it('stores larger results as bytes', async () => {
    const { folded } = await fold(`graph g() {
      %c = constant(data=[2], shape=[100]) : f32[100]
      %1 = mul(%c, %c) : f32[100]
      return y = %1
    }`)
    expect(folded.nodes.map(n => n.op)).toEqual(['constant'])
    expect(new Float32Array(stored.at(-1)?.slice().buffer ?? new ArrayBuffer(0))[99]).toBe(4)
  })
  it('leaves results beyond its size', async () => {
    const { folded } = await fold(`graph g() {
      %c = constant(data=[2], shape=[70000]) : f32[70000]
      %1 = neg(%c) : f32[70000]
      return y = %1
    }`)
    expect(folded.nodes.map(n => n.op)).toEqual(['constant', 'neg'])
  })
  it('leaves what would take too much work, though its result is small', async () => {
    const product = async (n: number): Promise<readonly string[]> => {
      const { folded } = await fold(`graph g() {
        %c = constant(data=[2], shape=[${n},${n}]) : f32[${n},${n}]
        %1 = matmul(%c, %c) : f32[${n},${n}]
        return y = %1
      }`)
      return folded.nodes.map(node => node.op)
    }
    expect(await product(8)).toEqual(['constant'])
    expect(await product(128)).toEqual(['constant', 'matmul'])
  })
  it('ends where the work of a whole graph is spent', async () => {
    const [elements, count] = [64 * 1024, 40]
    const { folded } = await fold(`graph g() {
      %c = constant(data=[2], shape=[${elements}]) : f32[${elements}]
      ${Array.from({ length: count }, (_, i) => `%n${i} = neg(%${i === 0 ? 'c' : `n${i - 1}`}) : f32[${elements}]`).join('\n')}
      return y = %n${count - 1}
    }`)
    // Each reads and writes every element once.
    const done = foldingBudget / (2 * elements)
    expect(folded.nodes.filter(node => node.op === 'neg')).toHaveLength(count - done)
    expect(done).toBeLessThan(count)
  })
  it('leaves what a symbol decides, though its shape is known', async () => {
    const { graph, folded } = await fold(`graph g<n: 1..8>(%x: f32[n]) {
      %c = constant(data=[1,2,3,4,5,6,7,8,9,10], shape=[10]) : f32[10]
      %1 = slice(%c, starts=[n], sizes=[2]) : f32[2]
      %2 = exp(%1) : f32[2]
      return y = %2
    }`)
    expect(folded.nodes.map(n => n.op)).toEqual(['constant', 'slice', 'exp'])
    const x = { dtype: 'f32' as const, shape: [3], data: new Float32Array(3) }
    expect(interpretGraphSync(folded, { x })).toEqual(interpretGraphSync(graph, { x }))
  })
})
