/** @file Loops that a person wrote in WebAssembly text: what the machine gives to who knows the problem. */
import gemm256 from 'gemm:m=256&n=256&k=256&mr=4&nr=8&mc=32&nc=64'
import gemm512 from 'gemm:m=512&n=512&k=512&mr=4&nr=8&mc=32&nc=64'
import gemm1024 from 'gemm:m=1024&n=1024&k=1024&mr=4&nr=8&mc=32&nc=64'
import sincosBytes from '../handwritten/sincos.wat'
import { elements } from '../networks/weights.ts'
import type { Inputs } from '../workloads/workload.ts'
import type { Peer } from './contestant.ts'

interface Kernel {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Bytes of memory that it works in, after its output. */
  readonly scratch?: number
  /** Arguments of the exported `run`: byte offsets of the inputs, of the output and of the scratch memory, 64-byte aligned. */
  readonly args: (inputs: readonly number[], output: number, scratch: number, given: Inputs) => readonly number[]
}

const gemm = (bytes: Uint8Array<ArrayBuffer>, size: number): Kernel => ({
  bytes,
  scratch: size * size * 4,
  args: ([a = 0, b = 0], y, scratch) => [a, b, y, scratch],
})

/** By workload. A kernel imports `env.memory`, and copies in and out are timed as everyone's. */
const kernels: Readonly<Record<string, Kernel>> = {
  sincos: { bytes: sincosBytes, args: ([x = 0], y, _, { x: given }) => [x, y, given?.data.length ?? 0] },
  'matmul-256': gemm(gemm256, 256),
  'matmul-512': gemm(gemm512, 512),
  'matmul-1024': gemm(gemm1024, 1024),
}

const aligned = (n: number): number => Math.ceil(n / 64) * 64

export const handwritten: Peer = {
  id: 'hand',
  async open({ workload, inputs, threads }) {
    const kernel = kernels[workload.name]
    if (kernel === undefined || threads !== 1) return undefined
    const arrays = Object.values(inputs).map(i => i.data)
    const offsets: number[] = []
    let end = 0
    for (const a of arrays) {
      offsets.push(end)
      end = aligned(end + a.byteLength)
    }
    const size = elements(workload.output)
    const scratch = aligned(end + size * 4)
    const memory = new WebAssembly.Memory({ initial: Math.ceil((scratch + (kernel.scratch ?? 0)) / 65_536) + 1 })
    const { instance } = await WebAssembly.instantiate(kernel.bytes, { env: { memory } })
    const run = instance.exports['run'] as (...args: readonly number[]) => void
    const args = kernel.args(offsets, end, scratch, inputs)
    const into = new Float32Array(size)
    return {
      run: () => {
        arrays.forEach((a, i) => {
          if (a instanceof Float32Array) new Float32Array(memory.buffer, offsets[i], a.length).set(a)
          else new Int32Array(memory.buffer, offsets[i], a.length).set(a)
        })
        run(...args)
        into.set(new Float32Array(memory.buffer, end, size))
        return into
      },
    }
  },
}
