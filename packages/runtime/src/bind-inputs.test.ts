/** @file Every way in which a run's inputs can be wrong has its code. */
import { type Entry, type Manifest, type Port, isQuernError } from '@quern/artifact'
import { describe, expect, it } from 'vitest'
import { bindInputs, bindInto } from './bind-inputs.ts'

const entry: Entry = {
  inputs: [
    { name: 'x', dtype: 'f32', shape: ['n', 3], buffer: 0 },
    { name: 'mask', dtype: 'bool', shape: ['n'], buffer: 1 },
  ],
  outputs: [],
  predictedMs: 0,
}
const manifest: Manifest = {
  format: 1,
  name: 'test',
  target: 'wasm',
  variant: 'simd',
  symbols: { n: { min: 1, max: 8, multipleOf: 2 } },
  entries: { main: entry },
  states: [],
  code: { file: 'a.wasm', bytes: 0, sha256: [] },
  features: [],
  kernels: [],
}
const bind = (given: Readonly<Record<string, unknown>>) => bindInputs<never>(manifest, entry, given, () => undefined)
const codeOf = (given: Readonly<Record<string, unknown>>): string => {
  try {
    bind(given)
    return 'no error'
  } catch (error) {
    return isQuernError(error) ? error.code : String(error)
  }
}
/** As after `postMessage(array, [array.buffer])`. */
const detached = <T extends ArrayBufferView>(array: T): T => {
  structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] })
  return array
}
const x = new Float32Array(12),
  mask = new Uint8Array(4)

describe('bindInputs', () => {
  it('solves a dim from bare arrays', () => expect(bind({ x, mask }).symbols).toEqual({ n: 4 }))
  it('solves a dim from an explicit shape', () =>
    expect(bind({ x: { data: x, shape: [4, 3] }, mask }).symbols).toEqual({ n: 4 }))
  it('takes a clamped array for bytes', () => expect(codeOf({ x, mask: new Uint8ClampedArray(4) })).toBe('no error'))
  it.each([
    ['input/unknown-name', { x, mask, z: x }],
    ['input/missing', { x }],
    ['input/dtype', { x: new Float64Array(12), mask }],
    ['input/detached', { x: detached(new Float32Array(12)), mask }],
    ['input/detached', { x, mask: { data: detached(new Uint8ClampedArray(4)), shape: [4] } }],
    ['input/dtype', { x: { data: new Int32Array(12), shape: [4, 3] }, mask }],
    ['input/not-a-tensor', { x: [1, 2, 3], mask }],
    ['input/not-a-tensor', { x: { data: x, shape: [-4, 3] }, mask }],
    ['input/rank', { x: { data: x, shape: [12] }, mask }],
    ['input/size', { x: new Float32Array(13), mask }],
    ['input/size', { x: { data: x, shape: [4, 4] }, mask }],
    ['dim/conflict', { x: { data: x, shape: [4, 3] }, mask: { data: new Uint8Array(6), shape: [6] } }],
    ['dim/out-of-bounds', { x: new Float32Array(30), mask: new Uint8Array(10) }],
    ['dim/out-of-bounds', { x: new Float32Array(9), mask: new Uint8Array(3) }],
    ['dim/out-of-bounds', { x: new Float32Array(0), mask: new Uint8Array(0) }],
  ])('%s', (code, given) => expect(codeOf(given)).toBe(code))
})

describe('names that every object inherits', () => {
  const names = ['toString', 'constructor', 'valueOf', 'hasOwnProperty', '__proto__']
  const one = (name: string, value: unknown): Readonly<Record<string, unknown>> => ({ [name]: value })
  const port = (name: string): Port => ({ name, dtype: 'f32', shape: [name], buffer: 0 })
  const named = (name: string): Entry => ({ inputs: [port(name)], outputs: [port(name)], predictedMs: 0 })
  const bare: Manifest = { ...manifest, symbols: {} }

  it.each(names)('%s as an input and a dim', name => {
    const data = new Float32Array(3)
    const { inputs, symbols } = bindInputs<never>(bare, named(name), one(name, data), () => undefined)
    expect(inputs[0]?.value).toEqual(data)
    expect(Object.entries(symbols)).toEqual([[name, 3]])
    expect(() => bindInputs<never>(bare, named(name), {}, () => undefined)).toThrow(
      expect.objectContaining({ code: 'input/missing' }),
    )
  })
  it.each(names)('%s as an output', name => {
    const into = new Float32Array(3)
    expect(bindInto(named(name), {})).toEqual([undefined])
    expect(bindInto(named(name), one(name, into))).toEqual([into])
  })
})

it.each([
  [new Float32Array(4), 'run() takes an object of inputs by name, { x: …, mask: … }, not a Float32Array'],
  [{ x: [1, 2, 3], mask }, 'takes a Float32Array, or { data, shape } with such an array, not a plain array of 3'],
  [{ x: { values: 1 }, mask }, 'not an object with values'],
  [{ x: { data: new Float32Array(4), shape: [2, 4] }, mask }, 'shape [2, 4] needs 8 numbers, and data has 4'],
])('says what was found', (given, says) => {
  expect(() => bind(given as unknown as Record<string, unknown>)).toThrow(says)
})
