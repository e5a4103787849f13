/** @file Windows over pictures in blocks of lines: borders, strides, batches, weights side by side; and the meaning stays. */
import { GraphBuilder, type Value, ix, printKernel, tensorType, verifyKernel } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from '../../lower-program.ts'
import { wasmTarget } from '../../target/wasm.ts'
import { asRegion, difference, legalised, programOf, random, randomInputs, symbolValues } from '../../testing/graphs.ts'

const n = ix.variable('n')
type Make = (b: GraphBuilder) => Value
interface Window {
  readonly batch?: typeof n | number
  readonly from: number
  readonly to: number
  readonly height: number
  readonly width: number
  readonly kernel: readonly [number, number]
  readonly attrs?: Readonly<Record<string, readonly number[] | number>>
  readonly constant?: boolean
}
const conv =
  ({ batch = n, from, to, height, width, kernel, attrs = {}, constant = true }: Window): Make =>
  b => {
    const x = b.input('x', tensorType('f32', [batch, from, height, width]))
    const shape = [to, from, ...kernel]
    const next = random(3)
    const w = constant
      ? b.one('constant', [], {
          data: {
            kind: 'inline',
            values: Array.from({ length: shape.reduce((p, d) => p * d, 1) }, () => next() - 0.5),
          },
          dtype: 'f32',
          shape,
        })
      : b.input('w', tensorType('f32', shape))
    return b.one('relu', [
      b.one('conv', [x, w], { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1, ...attrs }),
    ])
  }

const padded = { pads: [1, 1, 1, 1] }
const cases: Readonly<Record<string, readonly [Make, readonly RegExp[]]>> = {
  'borders, and weights of four channels side by side': [
    conv({ from: 5, to: 8, height: 12, width: 13, kernel: [3, 3], attrs: padded }),
    [/alloc private x_lines: f32\[5,6,15\]/, /read \S+: f32\[2,3,3,5,4\]/],
  ],
  'strides, taken apart': [
    conv({
      batch: 1,
      from: 3,
      to: 8,
      height: 21,
      width: 24,
      kernel: [7, 7],
      attrs: { pads: [3, 3, 3, 3], strides: [2, 2] },
    }),
    [/alloc private x_lines: f32\[3,\d+,2,\d+\]/],
  ],
  'a stride of three and dilation': [
    conv({ from: 2, to: 4, height: 19, width: 31, kernel: [2, 3], attrs: { strides: [1, 3], dilations: [2, 2] } }),
    [/alloc private x_lines/],
  ],
  'no copy without borders and strides': [
    conv({ from: 4, to: 4, height: 10, width: 10, kernel: [3, 3] }),
    [/^(?![^]*x_lines)/],
  ],
  'weights from outside': [
    conv({ from: 4, to: 4, height: 9, width: 9, kernel: [3, 3], attrs: padded, constant: false }),
    [/alloc private x_lines/, /read w: f32\[4,4,3,3\]/],
  ],
  'lines that nothing divides': [
    conv({ from: 2, to: 4, height: 13, width: 11, kernel: [5, 5], attrs: { pads: [2, 2, 2, 2] } }),
    [],
  ],
  'channels that four does not divide': [
    conv({ from: 2, to: 6, height: 8, width: 9, kernel: [3, 3], attrs: padded }),
    [/x_lines/],
  ],
}

describe.each([
  ['one thread', wasmTarget()],
  ['a team', wasmTarget({ threads: 4 })],
  ['relaxed SIMD', wasmTarget({ relaxedSimd: true })],
] as const)('blocks of lines on %s', (_, target) => {
  it.each(Object.entries(cases))('%s', (_, [make, patterns]) => {
    const b = new GraphBuilder('g')
    b.declare({ name: 'n', min: 1, max: undefined, multipleOf: 1 })
    const graph = b.finish({ y: make(b) })
    const lowered = legalised(lowerProgram(programOf(asRegion(graph)), target))
    const [kernel] = lowered.kernels.values()
    if (kernel === undefined) throw new Error('no kernel')
    for (const pattern of patterns) expect(printKernel(kernel)).toMatch(pattern)
    verifyKernel(kernel)
    for (const size of [1, 3]) {
      const inputs = randomInputs(graph, symbolValues(graph, size), random(size))
      expect(difference(graph, lowered, inputs)).toBeUndefined()
    }
  })

  it('keeps the order of the sums where numbers must be exact', () => {
    const b = new GraphBuilder('g')
    b.declare({ name: 'n', min: 1, max: undefined, multipleOf: 1 })
    const graph = b.finish({ y: conv({ from: 5, to: 8, height: 12, width: 13, kernel: [3, 3], attrs: padded })(b) })
    const lowered = lowerProgram(programOf(asRegion(graph)), target, { numerics: 'exact' })
    const reorders = [...lowered.traces.values()]
      .flat()
      .filter(a => a.primitive === 'reorder')
      .map(a => a.args.join())
    expect(reorders.some(a => a.includes('_k0,') && a.includes('_k1,') && a.indexOf('_k1,') < a.indexOf('_k0,'))).toBe(
      false,
    )
  })
})
