/** @file The verifier lets right graphs pass and names the pass that changed a meaning. */
import { parseGraph } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { compile } from './pipeline.ts'
import { passVerifier } from './verify-pass.ts'

const graph = parseGraph(`graph main<n: 1..>(%x: f32[n,3]) {
  %0 = softmax(%x) : f32[n,3]
  %1 = neg(%0) : f32[n,3]
  %2 = neg(%1) : f32[n,3]
  return y = %2
}`)
const wrong = parseGraph(`graph main<n: 1..>(%x: f32[n,3]) {
  %0 = softmax(%x) : f32[n,3]
  %1 = neg(%0) : f32[n,3]
  return y = %1
}`)
const noBytes = () => Promise.reject(new Error('no bytes'))

describe('verify', () => {
  it('lets a whole compilation pass', async () => {
    const seen: string[] = []
    await compile({ name: 'net', entries: new Map([['main', graph]]), states: [], sources: new Map() }, 'wasm', {
      verify: true,
      onStage: name => seen.push(name),
    })
    expect(seen).toContain('regions')
    expect(seen.at(-1)).toBe('sizes')
  })
  it('names the pass that changed the meaning', async () => {
    const check = await passVerifier(graph, noBytes)
    await check('right', graph)
    await expect(check('some-pass', wrong)).rejects.toMatchObject({
      code: 'compiler/pass-changed-meaning',
      details: { pass: 'some-pass', output: 'y' },
    })
  })
})
