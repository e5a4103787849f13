/** @file Slices and top-k of a symbolic dim, at sizes where their numbers reach beyond it: on the interpreter and on wasm. */
import { interpretGraphSync, printGraph } from '@quern/core-ir'
import { jit } from '@quern/jit'
import { type SliceRange, dim, model, programOf, slice, tensor, topK } from '@quern/model'
import { describe, expect, it } from 'vitest'

const n = dim('n')
/** What NumPy's x[start:end:step] takes; JavaScript's own rules for ends are those of NumPy. */
const reference = (x: readonly number[], { start, end, step = 1 }: Readonly<Record<string, number>>): number[] => {
  const length = x.length
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1]
  const clamp = (at: number): number => Math.max(least, Math.min(most, at < 0 ? at + length : at))
  const first = start === undefined ? (step > 0 ? 0 : length - 1) : clamp(start)
  const last = end === undefined ? (step > 0 ? length : -1) : clamp(end)
  const found: number[] = []
  for (let i = first; step > 0 ? i < last : i > last; i += step) found.push(x[i] ?? NaN)
  return found
}

const ranges = [
  { start: -3 },
  { start: 5, end: 9 },
  { start: 1 },
  { end: 2 },
  { end: -1 },
  { start: -2, end: -1 },
  { start: 2, end: 1 },
  { start: 1, end: 9, step: 2 },
  { step: -1 },
  { start: 5, step: -2 },
  { start: -1, end: -3, step: -1 },
  { start: 9, end: -9, step: -1 },
  { start: 0, end: 0 },
] as const satisfies readonly SliceRange[]

const numbers = (data: ArrayLike<number | bigint>): number[] =>
  Array.from({ length: data.length }, (_, i) => Number(data[i]))
const inputOf = (size: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: size }, (_, i) => i + 1)

describe.each(ranges)('slice %o', range => {
  const net = model({ x: tensor('f32', [n]) }, ({ x }) => ({ y: slice(x, [range]) }))
  it('is what NumPy gives, at every size', async () => {
    const graph = programOf(net).graph.entries.get('main')
    if (graph === undefined) throw new Error('no entry')
    const loaded = await jit(net, { device: 'wasm', thread: 'caller' })
    for (const size of [1, 2, 3, 6, 12]) {
      const x = inputOf(size)
      const wanted = reference(numbers(x), range)
      const { y } = interpretGraphSync(graph, { x: { dtype: 'f32', shape: [size], data: x } })
      expect(numbers(y?.data ?? []), `interpreted at ${size}`).toEqual(wanted)
      const found = (await loaded.run({ x })).y
      expect(numbers(found.data), `on wasm at ${size}`).toEqual(wanted)
      expect(found.shape).toEqual([wanted.length])
    }
    await loaded.dispose()
  })
})

describe('what an op needs of a dim', () => {
  const net = model({ x: tensor('f32', [n]) }, ({ x }) => ({ y: topK(x, 2).values }))
  it('is kept with the graph and checked when the model runs', async () => {
    const graph = programOf(net).graph.entries.get('main')
    if (graph === undefined) throw new Error('no entry')
    expect(printGraph(graph)).toContain('<n: 2..>')
    const loaded = await jit(net, { device: 'wasm', thread: 'caller' })
    expect(() => interpretGraphSync(graph, { x: { dtype: 'f32', shape: [1], data: inputOf(1) } })).toThrow(
      'out-of-bounds',
    )
    await expect(loaded.run({ x: inputOf(1) })).rejects.toMatchObject({ code: 'dim/out-of-bounds' })
    for (const size of [2, 3])
      expect(numbers((await loaded.run({ x: inputOf(size) })).y.data)).toEqual([size, size - 1])
    await loaded.dispose()
  })
  it('is an end too', () => {
    const m = dim('m')
    const taken = model({ x: tensor('f32', [4]), y: tensor('f32', [m]) }, ({ x, y }) => ({
      y,
      z: slice(x, [{ end: m }]),
    }))
    expect(printGraph(programOf(taken).graph.entries.get('main') ?? expect.fail())).toContain('m: 1..4')
  })
  it('is an error of the build where the dim has no such values, or two dims would have to agree', () => {
    expect(() => model({ x: tensor('f32', [dim('k', { max: 3 })]) }, ({ x }) => ({ y: topK(x, 4).values }))).toThrow(
      'top-k/k-in-range',
    )
    const pair = { x: tensor('f32', [n]), y: tensor('f32', [dim('m')]) }
    expect(() => model(pair, ({ x, y }) => ({ y, z: slice(x, [{ end: dim('m') }]) }))).toThrow('slice/in-bounds')
  })
})
