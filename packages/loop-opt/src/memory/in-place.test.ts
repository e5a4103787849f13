/** @file What may share memory means the same when it does, in any order of iterations. */
import { type Index, type Kernel, interpretKernel, ix, parseKernel, printKernel } from '@quern/core-ir'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replaceLoop, substitute } from '../schedule/tree.ts'
import { inPlacePairs } from './in-place.ts'

const axes = ['i', 'j'] as const

/** A subscript of a dim of `extent`, always inside it: the axis itself, or something that it must not be taken for. */
const subscript = fc.constantFrom(
  (axis: string) => axis,
  (axis: string) => axis,
  (axis: string, extent: number) => `min(${axis} + 1, ${extent - 1})`,
  (axis: string, extent: number) => `${extent - 1} - ${axis}`,
  () => '0',
)

interface Drawn {
  readonly text: string
  readonly extents: readonly number[]
}

/** One or two nests over the same axes, each of a few statements that read x and write y or z. */
const kernels: fc.Arbitrary<Drawn> = fc
  .record({
    // Often square, so that subscripts can change places.
    extents: fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 5 })),
      fc.integer({ min: 1, max: 4 }).map(e => [e, e] as const),
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
    ),
    statements: fc.array(
      fc.record({
        kind: fc.constantFrom('y = x', 'y = 1', 'z = x', 'z = 1', 'let = x', 'y = let' as const),
        load: fc.tuple(subscript, subscript),
        swapped: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    apart: fc.boolean(),
  })
  .map(({ extents, statements, apart }) => {
    const own = axes.slice(0, extents.length)
    const square = extents.length === 2 && extents[0] === extents[1]
    let lets = 0
    const lines = statements.map(({ kind, load, swapped }) => {
      const from = square && swapped ? [...own].reverse() : own
      const at = from.map((axis, d) => load[d]?.(axis, extents[d] ?? 1)).join(', ')
      const [target, value] = kind.split(' = ')
      if (target === 'let') return `let v${lets++} = x[${at}]`
      const source = value === 'x' ? `x[${at}] * 2.0` : value === 'let' && lets > 0 ? `v${lets - 1} + 1.0` : '1.0'
      return `store ${target}[${own.join(', ')}] = ${source}`
    })
    const nest = (body: readonly string[], suffix: string): string =>
      own.reduceRight(
        (inside, axis, d) => `for ${axis}${suffix} < ${extents[d]} { ${inside} }`,
        body.join('\n').replace(/\b[ij]\b/g, axis => `${axis}${suffix}`),
      )
    // A second nest may use no name of the first.
    const split = apart && lets === 0 && lines.length > 1 ? 1 : lines.length
    const nests = [lines.slice(0, split), lines.slice(split)].filter(body => body.length > 0)
    const shape = extents.join(',')
    return {
      extents,
      text: `kernel k(read x: f32[${shape}], write y: f32[${shape}], write z: f32[${shape}]) {
        ${nests.map((body, at) => nest(body, at === 0 ? '' : '2')).join('\n')}
      }`,
    }
  })

/** The kernel with the iterations of one of its axes backwards. */
const backwards = (kernel: Kernel, axis: string): Kernel =>
  replaceLoop(kernel, axis, loop => {
    const last: Index = ix.sub(loop.extent, 1)
    return [{ ...loop, body: substitute(loop.body, new Map([[axis, ix.sub(last, ix.variable(axis))]])) }]
  })

const run = (kernel: Kernel, { extents }: Drawn, shared?: readonly [read: string, written: string]) => {
  const array = (): Float32Array =>
    Float32Array.from({ length: extents.reduce((a, b) => a * b, 1) }, (_, i) => 10 + ((i * 7) % 11))
  const buffers: Record<string, Float32Array> = { x: array(), y: array().fill(0), z: array().fill(0) }
  const [read, written] = shared ?? []
  if (read !== undefined && written !== undefined && buffers[read] !== undefined) buffers[written] = buffers[read]
  interpretKernel(kernel, { buffers, symbols: {} })
  return { y: buffers['y'], z: buffers['z'] }
}

describe('params that may share memory', () => {
  it('mean the same when they do, in any order of iterations', () => {
    let found = 0
    fc.assert(
      fc.property(kernels, drawn => {
        const kernel = parseKernel(drawn.text)
        // Where it starts, x has the elements of x and y those of y: what a kernel leaves out is not compared below.
        for (const [r, w] of inPlacePairs(kernel)) {
          found++
          const [read, written] = [kernel.params[r]?.name ?? '', kernel.params[w]?.name ?? '']
          const apart = run(kernel, drawn)
          for (const order of [kernel, ...axes.slice(0, drawn.extents.length).map(axis => backwards(kernel, axis))])
            expect(run(order, drawn, [read, written]), printKernel(order)).toEqual(apart)
        }
      }),
      { numRuns: 1500 },
    )
    // Or nothing was tested.
    expect(found).toBeGreaterThan(50)
  })

  it.each([
    ['a map', 'for i < 8 { store y[i] = x[i] + 1.0 }', true],
    ['a map with a name', 'for i < 8 { let v = x[i]\n store y[i] = v * v }', true],
    ['neighbours', 'for i < 8 { store y[i] = x[min(i + 1, 7)] }', false],
    ['backwards', 'for i < 8 { store y[i] = x[7 - i] }', false],
    ['a read behind the write', 'for i < 8 { store y[i] = 1.0\n store z[i] = x[i] }', false],
    ['a read before the write', 'for i < 8 { store z[i] = x[i]\n store y[i] = 1.0 }', true],
    ['a part of the elements', 'for i < 8 { if i32[i] < 4 { store y[i] = x[i] } }', false],
    ['a nest before it', 'for j < 8 { store z[j] = x[j] }\n for i < 8 { store y[i] = x[i] }', false],
    ['two writes', 'for i < 8 { store y[i] = x[i]\n store y[i] = x[i] + 1.0 }', false],
    ['an axis that no subscript names', 'for i < 8 { for j < 2 { store y[i] = x[i] } }', false],
  ])('%s', (_, body, allowed) => {
    const kernel = parseKernel(`kernel k(read x: f32[8], write y: f32[8], write z: f32[8]) { ${body} }`)
    expect(inPlacePairs(kernel).some(([r, w]) => r === 0 && w === 1)).toBe(allowed)
  })

  it('that differ in shape or width never do', () => {
    const of = (y: string): readonly unknown[] =>
      inPlacePairs(
        parseKernel(`kernel k(read x: f32[8], write y: ${y}) { for i < 8 { store y[i] = ${y.slice(0, 3)}(x[i]) } }`),
      )
    expect(of('i32[8]')).toHaveLength(1)
    expect(of('i32[9]')).toHaveLength(0)
    expect(of('f64[8]')).toHaveLength(0)
  })
})
