/** @file Small windows written out: depthwise convolutions and pools of any size, stride and dilation; and the meaning stays. */
import { GraphBuilder, type Value, ix, printKernel, tensorType, verifyKernel } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from '../../lower-program.ts'
import { wasmTarget } from '../../target/wasm.ts'
import { asRegion, difference, legalised, programOf, random, randomInputs, symbolValues } from '../../testing/graphs.ts'

interface Window {
  readonly size: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly attrs?: Readonly<Record<string, readonly number[]>>
}
const depthwise =
  ({ size, kernel, attrs }: Window) =>
  (b: GraphBuilder): Value => {
    const x = b.input('x', tensorType('f32', [ix.variable('n'), 3, ...size]))
    const w = b.input('w', tensorType('f32', [3, 1, ...kernel]))
    return b.one('conv', [x, w], { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 3, ...attrs })
  }

/** With the lines of a tile where the window is written out. */
const cases: Readonly<Record<string, readonly [Window, lines: 1 | 2 | undefined]>> = {
  '3 × 3 over an even number of lines': [{ size: [8, 24], kernel: [3, 3], attrs: { pads: [1, 1, 1, 1] } }, 2],
  'over an odd number': [{ size: [7, 7], kernel: [3, 3], attrs: { pads: [1, 1, 1, 1] } }, 1],
  'every second line and column': [
    { size: [12, 17], kernel: [3, 3], attrs: { pads: [1, 1, 1, 1], strides: [2, 2] } },
    2,
  ],
  'with gaps': [{ size: [10, 19], kernel: [3, 3], attrs: { dilations: [2, 2] } }, 2],
  '5 × 5': [{ size: [6, 14], kernel: [5, 5], attrs: { pads: [2, 2, 2, 2] } }, 2],
  'one line': [{ size: [1, 40], kernel: [1, 5] }, 1],
  '7 × 7 stays in loops': [{ size: [8, 16], kernel: [7, 7], attrs: { pads: [3, 3, 3, 3] } }, undefined],
}

describe.each([
  ['one thread', wasmTarget()],
  ['a team', wasmTarget({ threads: 4 })],
  ['relaxed SIMD', wasmTarget({ relaxedSimd: true })],
] as const)('windows on %s', (_, target) => {
  it.each(Object.entries(cases))('%s', (_, [window, lines]) => {
    const b = new GraphBuilder('g')
    b.declare({ name: 'n', min: 1, max: undefined, multipleOf: 1 })
    const graph = b.finish({ y: depthwise(window)(b) })
    const lowered = legalised(lowerProgram(programOf(asRegion(graph)), target))
    const [kernel] = lowered.kernels.values()
    if (kernel === undefined) throw new Error('no kernel')
    verifyKernel(kernel)
    const text = printKernel(kernel)
    // A written-out window leaves no loop over its lines (but for single columns), and a tile of two lines twice as many sums.
    expect(/for acc_k1 </.test(text)).toBe(lines === undefined)
    if (lines !== undefined) expect(/alloc register acc: f32\[(?:1,)*2,/.test(text)).toBe(lines === 2)
    for (const size of [1, 2]) {
      const inputs = randomInputs(graph, symbolValues(graph, size), random(size))
      expect(difference(graph, lowered, inputs)).toBeUndefined()
    }
  })
})
