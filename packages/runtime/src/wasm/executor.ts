/** @file Wasm as an executor: one host of memory and weights, and a fork's view of it. */
import type { Manifest } from '@quern/artifact'
import type { Executor, ExecutorRun } from '../executor.ts'
import type { WasmHost } from './host.ts'
import type { Answer, Request } from './messages.ts'
import { hostData, wasmTensor, wasmTensorOf } from './tensors.ts'

/** What the forks of one loaded model share. */
interface Family {
  readonly manifest: Manifest
  readonly host: WasmHost
  members: number
  born: number
  last: Answer | undefined
}

export const wasmExecutor = (manifest: Manifest, host: WasmHost): Executor =>
  forkOf({ manifest, host, members: 1, born: 1, last: undefined }, 0)

const forkOf = (family: Family, fork: number): Executor => {
  const { manifest, host } = family
  const call = async (request: Request): Promise<Answer> => (family.last = await host.call(request))
  const play = ({ entry, inputs, symbols }: ExecutorRun, into: ExecutorRun['into'] | undefined): Promise<Answer> =>
    call({ kind: 'run', fork, entry, inputs: inputs.map(hostData), symbols, into })
  return {
    device: 'wasm',
    thread: host.thread,
    threads: host.threads,
    features: manifest.features,
    run: async run => {
      const { outputs } = await play(run, run.into)
      return run.outputs === 'cpu'
        ? outputs
        : outputs.map((o, i) => wasmTensor(manifest.entries[run.entry]?.outputs[i]?.dtype ?? 'f32', o))
    },
    profile: async run => (await play(run, undefined)).kernels,
    deviceTensor: wasmTensorOf,
    readState: async name => {
      const { data } = await call({ kind: 'read-state', fork, name })
      if (data === undefined) throw new Error('a state without data')
      return data
    },
    writeState: async (name, data) => void (await call({ kind: 'write-state', fork, name, data })),
    resetState: async name => void (await call({ kind: 'reset-state', fork, name })),
    fork: async () => {
      family.members++
      return forkOf(family, family.born++)
    },
    stats: () => ({ arena: family.last?.arena ?? 0, peak: family.last?.peak ?? 0, dispatches: 0, submits: 0 }),
    dispose: async idle => {
      // The last one does not wait for a run in a worker: nobody wants its result.
      if (--family.members === 0) return host.terminate()
      await idle
      // The others may have gone meanwhile, and the memory with them.
      if (family.members > 0) await call({ kind: 'drop-fork', fork })
    },
  }
}
