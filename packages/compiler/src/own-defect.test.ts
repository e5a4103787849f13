/** @file A defect of the compiler says that it is ours, and a mistake of the model never does. */
import { QuernError } from '@quern/artifact'
import { kernelDiagnostics, parseGraph, parseKernel, verifyKernel } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { asDefect } from './own-defect.ts'
import { compile } from './pipeline.ts'

const program = (text: string) => ({
  name: 'net',
  entries: new Map([['main', parseGraph(text)]]),
  states: [],
  sources: new Map(),
})
const net = program('graph main(%x: f32[4]) {\n  %0 = relu(%x) : f32[4]\n  return y = %0\n}')
const thrown = (work: () => void): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
const ours = {
  code: 'compiler/defect',
  message: expect.stringMatching(/this is a defect of Quern, not of the model: /),
}

describe('asDefect', () => {
  it('is what a verifier finds after tracing, with its code, its frame and its findings', () => {
    const kernel = parseKernel(`kernel k(read x: f32[4], write y: f32[4]) {
  for i < 4 {
    store y[i] = z[i]:f32
  }
}`)
    expect(kernelDiagnostics(kernel)).not.toEqual([])
    const found = thrown(() => verifyKernel(kernel)) as QuernError
    expect(asDefect(found)).toMatchObject({ ...ours, details: { was: found.code }, cause: found })
    expect(String(asDefect(found))).toContain('^')
  })
  it.each([
    new TypeError("reading 'x'"),
    new QuernError('rule/does-not-end', 'a rule fires for ever', { rule: 'r' }),
    new QuernError('internal/plan', 'no buffer b'),
    new QuernError('webgpu/kernel-structure', 'a barrier in a branch', { kernel: 'k' }),
  ])('is %s', error => expect(asDefect(error)).toMatchObject(ours))
  it.each([
    new QuernError('loop/limit', 'loop takes a whole number of rounds', { origin: { file: 'a', line: 1, column: 1 } }),
    new QuernError('loop/same-types', 'the body gives other types', { op: 'loop', operands: [] }),
    new QuernError('webgpu/unsupported-dtype', 'no f64'),
    new QuernError('weights/truncated', 'the file ends early'),
    new QuernError('compiler/bad-wasm', 'this is a defect of the compiler'),
  ])('leaves %s as it is', error => expect(asDefect(error)).toBe(error))
})

describe('compile', () => {
  it('says that what broke on the way is ours', async () => {
    // A graph that no tracing makes: the result says one type, and the op gives another.
    const [entry] = net.entries.values()
    const value = entry?.outputs[0]?.value
    if (entry === undefined || value === undefined) throw new Error('no output')
    const broken = { ...entry, outputs: [{ name: 'y', value: { ...value, node: undefined } }] }
    await expect(
      compile({ ...net, entries: new Map([['main', broken]]) }, 'wasm', { verify: true }),
    ).rejects.toMatchObject(ours)
  })
  it('names the targets there are', async () => {
    for (const target of ['tpu', 'wsm', 'toString'])
      await expect(compile(net, target as 'wasm')).rejects.toMatchObject({
        code: 'target/unknown',
        details: { target, known: ['wasm', 'webgpu'] },
      })
  })
  it('leaves mistakes of the caller as they are', async () => {
    await expect(compile(net, 'wasm', { schedules: 'no_such:\nunroll("i")' })).rejects.toMatchObject({
      code: 'schedule/unknown-kernel',
    })
    await expect(compile(net, 'webgpu', { numerics: 'reproducible' })).rejects.toMatchObject({
      code: 'numerics/reproducible-needs-wasm',
    })
  })
})
