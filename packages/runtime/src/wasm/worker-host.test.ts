/** @file A host of workers ends every one of them: when it is terminated, and when one of them could not be set up. */
import { beforeEach, expect, it, vi } from 'vitest'
import type { WorkerPort } from '../platform/worker-port.ts'
import type { Call, Reply } from './messages.ts'
import { workerHost } from './worker-host.ts'
import { bareManifest } from '../testing/bare-manifest.ts'

const workers = vi.hoisted(() => ({ started: 0, ended: 0, refusing: -1 }))
vi.mock('#platform', () => ({
  spawnWorker: (): WorkerPort => {
    const index = workers.started++
    let receive: (message: unknown) => void = () => {}
    return {
      post: message => {
        const { id, request } = message as Call
        const empty = { outputs: [], data: undefined, returned: [], kernels: [], arena: 0, peak: 0 }
        const reply: Reply =
          request.kind === 'init' && index === workers.refusing
            ? { id, ok: false, error: { code: 'wasm/out-of-memory', message: 'no memory', details: {} } }
            : { id, ok: true, answer: empty }
        queueMicrotask(() => receive(reply))
      },
      onMessage: f => (receive = f),
      onError: () => {},
      awaited: () => {},
      terminate: () => void workers.ended++,
    }
  },
}))
beforeEach(() => Object.assign(workers, { started: 0, ended: 0, refusing: -1 }))

const emptyModule = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
const host = (team: number) =>
  workerHost(
    { manifest: bareManifest, module: emptyModule, weights: new Uint8Array(0) },
    team,
    team === 1 ? undefined : new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
  )

it.each([1, 3])('ends its %i workers when it is terminated', async team => {
  const made = await host(team)
  expect(workers).toMatchObject({ started: team, ended: 0 })
  made.terminate()
  expect(workers.ended).toBe(team)
  await expect(made.call({ kind: 'drop-fork', fork: 0 })).rejects.toMatchObject({ code: 'model/disposed' })
})

it('leaves no worker behind where one cannot be set up', async () => {
  workers.refusing = 1
  await expect(host(3)).rejects.toMatchObject({ code: 'wasm/out-of-memory' })
  expect(workers).toMatchObject({ started: 3, ended: 3 })
})
