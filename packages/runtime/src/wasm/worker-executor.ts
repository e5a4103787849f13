/**
 * @file Runs wasm in a worker, or in a team of workers over one shared memory. The first worker copies inputs and outputs and
 * leads; the others join each run. A run in progress cannot be interrupted, only its result dropped.
 */
import { type HostArray, QuernError } from '@quern/artifact'
import { spawnWorker } from '#platform'
import type { Executor, ExecutorRun, HostOutput } from '../executor.ts'
import type { WorkerPort } from '../platform/worker-port.ts'
import type { WasmImage } from './caller-executor.ts'
import { makeMemory } from './instance.ts'
import type { Reply, Request } from './messages.ts'
import { hostData, wasmTensor, wasmTensorOf } from './tensors.ts'

type Done = Extract<Reply, { ok: true }>

interface Member {
  call(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Done>
  terminate(): void
}

const startMember = (): Member => {
  const port: WorkerPort = spawnWorker()
  const waiting = new Map<number, { resolve(done: Done): void; reject(error: unknown): void }>()
  let next = 0
  port.onMessage(message => {
    const reply = message as Reply
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.ok) call?.resolve(reply)
    else call?.reject(new QuernError(reply.error.code, reply.error.message, reply.error.details))
  })
  const fail = (cause: unknown): void => {
    const error = new QuernError(
      'runtime/worker-failed',
      `the runtime's worker could not start or died: ${String(cause)}`,
      {},
      cause,
    )
    waiting.forEach(w => w.reject(error))
    waiting.clear()
  }
  port.onError(fail)
  return {
    call: (request, transfer = []) =>
      new Promise((resolve, reject) => {
        waiting.set(next, { resolve, reject })
        port.post({ id: next++, request }, transfer)
      }),
    terminate: () => {
      port.terminate()
      fail('disposed')
    },
  }
}

export const workerExecutor = async (image: WasmImage, threads: number): Promise<Executor> => {
  const { manifest, module, weights } = image
  const memory = manifest.wasm?.sharedMaxPages === undefined ? undefined : makeMemory(manifest)
  const team = Array.from({ length: memory === undefined ? 1 : threads }, startMember)
  const [leader, ...others] = team
  if (leader === undefined) throw new Error('a team has at least one member')
  const stop = (): void => team.forEach(m => m.terminate())
  let stats = { arena: 0, peak: 0, dispatches: 0, submits: 0 }
  try {
    // The leader fills the memory first; the others then join it.
    const init = (thread: number): Request => ({
      kind: 'init',
      manifest,
      module,
      memory,
      weights: thread === 0 ? weights : undefined,
      thread,
      teamSize: team.length,
    })
    await leader.call(init(0))
    await Promise.all(others.map((m, i) => m.call(init(i + 1))))
  } catch (error) {
    stop()
    throw error
  }
  const execute = async ({ entry, inputs, symbols, into }: ExecutorRun): Promise<readonly HostOutput[]> => {
    const parallel = manifest.entries[entry]?.wasm?.parallel === true
    const joined = parallel ? others.map(m => m.call({ kind: 'join', entry })) : []
    const [done] = await Promise.all([
      leader.call({ kind: 'run', entry, inputs: inputs.map(hostData), symbols }),
      ...joined,
    ])
    stats = { ...stats, arena: done.arena, peak: done.peak }
    return (done.outputs ?? []).map((output, i) => {
      const target = into[i]
      if (target === undefined) return output
      if (target.length !== output.data.length)
        throw new QuernError(
          'output/size',
          `the output ${manifest.entries[entry]?.outputs[i]?.name ?? i} has ${output.data.length} elements, and \`into\` gave an array of ${target.length}`,
          { expected: output.data.length, found: target.length },
        )
      new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(
        new Uint8Array(output.data.buffer, output.data.byteOffset, output.data.byteLength),
      )
      return { shape: output.shape, data: target }
    })
  }
  return {
    device: 'wasm',
    thread: 'worker',
    threads: team.length,
    features: manifest.features,
    run: async run => {
      const outputs = await execute(run)
      return run.outputs === 'cpu'
        ? outputs
        : outputs.map((o, i) => wasmTensor(manifest.entries[run.entry]?.outputs[i]?.dtype ?? 'f32', o))
    },
    profile: async run => {
      const start = performance.now()
      await execute(run)
      return [{ kernel: run.entry, ms: performance.now() - start, runs: 1 }]
    },
    deviceTensor: wasmTensorOf,
    readState: async name => (await leader.call({ kind: 'read-state', name })).data as HostArray,
    writeState: async (name, data) => {
      await leader.call({ kind: 'write-state', name, data })
    },
    resetState: async name => {
      await leader.call({ kind: 'reset-state', name })
    },
    fork: () => workerExecutor(image, threads),
    stats: () => stats,
    dispose: async () => stop(),
  }
}
