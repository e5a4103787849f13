/** @file Runs wasm on the caller's thread: no hand-over at all, for plans that take microseconds. */
import type { Manifest } from '@quern/artifact'
import type { Executor, ExecutorRun } from '../executor.ts'
import { type WasmInstance, instantiate, makeMemory } from './instance.ts'
import { hostData, wasmTensor, wasmTensorOf } from './tensors.ts'

export interface WasmImage {
  readonly manifest: Manifest
  readonly module: WebAssembly.Module
  readonly weights: Uint8Array
}

export const callerExecutor = async (image: WasmImage): Promise<Executor> => {
  const { manifest, module, weights } = image
  let instance: WasmInstance | undefined = await instantiate(manifest, module, weights, makeMemory(manifest))
  const alive = (): WasmInstance => {
    if (instance === undefined) throw new Error('disposed')
    return instance
  }
  const run = ({ entry, inputs, symbols, into, outputs }: ExecutorRun) => {
    const results = alive().run(entry, inputs.map(hostData), symbols, into)
    return outputs === 'cpu'
      ? results
      : results.map((r, i) => wasmTensor(manifest.entries[entry]?.outputs[i]?.dtype ?? 'f32', r))
  }
  return {
    device: 'wasm',
    thread: 'caller',
    threads: 1,
    features: manifest.features,
    run: async r => run(r),
    profile: async r => {
      const start = performance.now()
      run(r)
      return [{ kernel: r.entry, ms: performance.now() - start, runs: 1 }]
    },
    deviceTensor: wasmTensorOf,
    readState: async name => alive().readState(name),
    writeState: async (name, data) => alive().writeState(name, data),
    resetState: async name => alive().resetState(name),
    fork: () => callerExecutor(image),
    stats: () => ({
      arena: instance?.arenaBytes ?? 0,
      peak: instance?.memory.buffer.byteLength ?? 0,
      dispatches: 0,
      submits: 0,
    }),
    dispose: async () => {
      instance = undefined
    },
  }
}
