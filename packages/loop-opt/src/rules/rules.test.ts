/** @file Each class of kernel gets the schedule it should have, and keeps its meaning at any size. */
import { GraphBuilder, type Value, ix, printKernel, tensorType, verifyKernel } from '@quern/core-ir'
import { describe, expect, it } from 'vitest'
import { lowerProgram } from '../lower-program.ts'
import { wasmTarget } from '../target/wasm.ts'
import { webgpuTarget } from '../target/webgpu.ts'
import { asRegion, difference, legalised, programOf, random, randomInputs, symbolValues } from '../testing/graphs.ts'

const n = ix.variable('n')
const f32 = (...shape: (number | typeof n)[]) => tensorType('f32', shape)

interface Case {
  readonly make: (b: GraphBuilder) => Value
  /** What the first kernel's text holds on each target. */
  readonly wasm: readonly RegExp[]
  readonly webgpu: readonly RegExp[]
}

const vector = /for vector/,
  workgroup = /for workgroup\.x/,
  thread = /for thread\.x/,
  shared = /alloc shared/
const barrier = /barrier/,
  register = /alloc register/,
  team = /for parallel/

const cases: Readonly<Record<string, Case>> = {
  'flat map': {
    make: b => b.one('add', [b.one('sin', [b.input('x', f32(n, 7))]), b.input('z', f32(n, 7))]),
    wasm: [vector, /x: f32\[7\*n\]/],
    webgpu: [vector, workgroup, thread, /x: f32\[7\*n\]/],
  },
  'map with a row that repeats': {
    make: b =>
      b.one('add', [
        b.input('x', f32(n, 8)),
        b.one('broadcast', [b.input('z', f32(8))], { shape: [n, ix.constant(8)] }),
      ]),
    wasm: [vector],
    webgpu: [vector, workgroup, thread],
  },
  transpose: {
    make: b => b.one('transpose', [b.input('x', f32(n, 7))], { perm: [1, 0] }),
    wasm: [vector],
    webgpu: [workgroup, thread],
  },
  'big map': {
    make: b => b.one('exp', [b.input('x', f32(n, 64, 64))]),
    wasm: [team, vector],
    webgpu: [workgroup, thread],
  },
  'sum of rows': {
    make: b => b.one('reduce-sum', [b.input('x', f32(n, 37))], { axes: [1] }),
    wasm: [vector, register],
    webgpu: [workgroup, shared, barrier],
  },
  'sum of columns': {
    make: b => b.one('reduce-sum', [b.input('x', f32(n, 37))], { axes: [0] }),
    wasm: [vector, register],
    webgpu: [workgroup, register],
  },
  'sum of everything': {
    make: b => b.one('reduce-sum', [b.input('x', f32(n, 37))], { axes: [0, 1] }),
    wasm: [vector, register],
    webgpu: [shared, barrier, /_part4/],
  },
  'maximum along a symbolic dim': {
    make: b => b.one('reduce-max', [b.input('x', f32(3, n))], { axes: [1] }),
    wasm: [vector],
    webgpu: [shared],
  },
  softmax: {
    make: b => b.one('softmax', [b.input('x', f32(n, 37))]),
    wasm: [vector, register],
    webgpu: [workgroup, shared, barrier],
  },
  'softmax along columns': {
    make: b => b.one('softmax', [b.input('x', f32(5, n))], { axis: 0 }),
    wasm: [vector, register],
    webgpu: [workgroup, thread],
  },
  'layer norm': {
    make: b => b.one('layer-norm', [b.input('x', f32(n, 37)), b.input('g', f32(37)), b.input('b', f32(37))]),
    wasm: [vector, register],
    webgpu: [workgroup, shared, barrier],
  },
  'max pooling': {
    make: b => b.one('max-pool', [b.input('x', f32(n, 3, 8, 8))], { kernel: [2, 2], strides: [2, 2] }),
    wasm: [vector, register],
    webgpu: [workgroup, register],
  },
  'padded pooling': {
    make: b =>
      b.one('max-pool', [b.input('x', f32(n, 2, 11, 11))], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    wasm: [vector, /alloc private x_padded/],
    webgpu: [workgroup, register],
  },
  convolution: {
    make: b =>
      b.one('relu', [
        b.one('conv', [b.input('x', f32(n, 3, 9, 9)), b.input('w', f32(8, 3, 3, 3))], { pads: [1, 1, 1, 1] }),
      ]),
    wasm: [vector, /alloc private x_lines/, /alloc register acc: f32\[4,8\]/],
    webgpu: [workgroup, register],
  },
  'strided convolution': {
    make: b =>
      b.one('conv', [b.input('x', f32(n, 2, 13, 13)), b.input('w', f32(4, 2, 5, 5))], {
        pads: [2, 2, 2, 2],
        strides: [2, 2],
      }),
    wasm: [vector],
    webgpu: [workgroup],
  },
  'convolution of any size': {
    make: b => b.one('conv', [b.input('x', f32(1, 3, n, n)), b.input('w', f32(8, 3, 3, 3))], { pads: [1, 1, 1, 1] }),
    wasm: [vector],
    webgpu: [workgroup],
  },
  'strided convolution, all of it symbolic': {
    make: b =>
      b.one('conv', [b.input('x', f32(n, 6, n, n)), b.input('w', f32(2, 3, 3, 3))], {
        pads: [2, 4, 2, 4],
        strides: [2, 2],
        dilations: [1, 2],
        groups: 2,
      }),
    wasm: [/conv/],
    webgpu: [workgroup, thread, register],
  },
  depthwise: {
    make: b =>
      b.one('conv', [b.input('x', f32(n, 3, 9, 9)), b.input('w', f32(3, 1, 3, 3))], { pads: [1, 1, 1, 1], groups: 3 }),
    wasm: [vector, register],
    webgpu: [workgroup, register],
  },
  product: {
    make: b => b.one('relu', [b.one('matmul', [b.input('x', f32(n, 33)), b.input('w', f32(33, 32))])]),
    wasm: [vector, register],
    webgpu: [shared, barrier, /for thread\.y/, register],
  },
  'batched product': {
    make: b => b.one('matmul', [b.input('x', f32(2, n, 9)), b.input('w', f32(2, n, 9))], { transposeRhs: true }),
    wasm: [vector],
    webgpu: [workgroup],
  },
  'position of the largest': {
    make: b => b.one('argmax', [b.input('x', f32(n, 37))], { axis: 1 }),
    wasm: [vector, register],
    webgpu: [workgroup, shared, barrier],
  },
  'position of the largest of columns': {
    make: b => b.one('argmax', [b.input('x', f32(5, n))], { axis: 0 }),
    wasm: [vector, /alloc register argmax: f32\[16\]/],
    webgpu: [workgroup, thread],
  },
  'convolution along one dim': {
    make: b => b.one('conv', [b.input('x', f32(1, 3, 40)), b.input('w', f32(8, 3, 3))], { pads: [1, 1] }),
    wasm: [vector, /alloc private x_padded/, /alloc register acc: f32\[4,8\]/],
    webgpu: [workgroup],
  },
  'exponentials that three loops of a row read': {
    make: b => {
      const x = b.input('x', f32(n, 48))
      const e = b.one('exp', [x])
      const along = (op: string) =>
        b.one('broadcast', [b.one('reshape', [b.one(op, [e], { axes: [1] })], { shape: [n, 1] })], { shape: [n, 48] })
      return b.one('mul', [b.one('div', [e, along('reduce-sum')]), along('reduce-max')])
    },
    wasm: [vector, /alloc private exp_t: f32\[48\]/, /^(?:(?!exp\()[^])*exp\((?:(?!exp\()[^])*$/],
    webgpu: [workgroup],
  },
  scatter: {
    make: b => b.one('cumsum', [b.input('x', f32(n, 9))], { axis: 1 }),
    wasm: [/cumsum/],
    webgpu: [workgroup],
  },
}

const targets = { wasm: wasmTarget({ threads: 4 }), webgpu: webgpuTarget() }

describe.each(['wasm', 'webgpu'] as const)('rules for %s', kind => {
  it.each(Object.entries(cases))('%s', (_, { make, ...expected }) => {
    const b = new GraphBuilder('g')
    b.declare({ name: 'n', min: 1, max: undefined, multipleOf: 1 })
    const graph = b.finish({ y: make(b) })
    const lowered = legalised(lowerProgram(programOf(asRegion(graph)), targets[kind]))
    const [kernel] = lowered.kernels.values()
    if (kernel === undefined) throw new Error('no kernel')
    const text = printKernel(kernel)
    for (const pattern of expected[kind]) expect(text).toMatch(pattern)
    for (const k of lowered.kernels.values()) expect(() => verifyKernel(k)).not.toThrow()
    for (const size of [1, 2, 5, 9]) {
      const inputs = randomInputs(graph, symbolValues(graph, size), random(size))
      expect(difference(graph, lowered, inputs)).toBeUndefined()
    }
  })
})
