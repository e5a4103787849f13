/** @file Loops that a person wrote in WebAssembly text: what the machine gives to who knows the problem. */
import sincosBytes from '../handwritten/sincos.wat'
import { elements } from '../networks/weights.ts'
import type { Inputs } from '../workloads/workload.ts'
import type { Peer } from './contestant.ts'

interface Kernel {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Arguments of the exported `run`, given byte offsets of the inputs and of the output, each 64-byte aligned. */
  readonly args: (inputs: readonly number[], output: number, given: Inputs) => readonly number[]
}

/** By workload. A kernel imports `env.memory`, and copies in and out are timed as everyone's. */
const kernels: Readonly<Record<string, Kernel>> = {
  sincos: { bytes: sincosBytes, args: ([x = 0], y, { x: given }) => [x, y, given?.data.length ?? 0] },
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
    const memory = new WebAssembly.Memory({ initial: Math.ceil((end + size * 4) / 65_536) + 1 })
    const { instance } = await WebAssembly.instantiate(kernel.bytes, { env: { memory } })
    const run = instance.exports['run'] as (...args: readonly number[]) => void
    const args = kernel.args(offsets, end, inputs)
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
