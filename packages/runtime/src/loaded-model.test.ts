/** @file What a loaded model does around its executor: it listens to a signal no longer than the run, and disposes of it once. */
import type { Manifest } from '@quern/artifact'
import { expect, it, vi } from 'vitest'
import type { Executor, ExecutorOutput } from './executor.ts'
import { type AnyRunner, loadedModel } from './loaded-model.ts'
import { bareManifest } from './testing/bare-manifest.ts'

const manifest: Manifest = {
  ...bareManifest,
  entries: { main: { inputs: [], outputs: [{ name: 'y', dtype: 'f32', shape: [1], buffer: 0 }], predictedMs: 0 } },
}

const load = (run: () => Promise<readonly ExecutorOutput[]>) => {
  const dispose = vi.fn(() => Promise.resolve())
  const executor = { device: 'wasm', deviceTensor: () => undefined, run, dispose } as unknown as Executor
  const facts = { reasons: [], codeBytes: 0, weightBytes: 0, checked: 'sha-256', ms: { load: 0, compile: 0 } } as const
  const net = loadedModel('model', manifest, executor, facts)
  return { net: net as typeof net & AnyRunner, dispose }
}

it.each([
  ['succeeds', () => Promise.resolve([{ shape: [1], data: Float32Array.of(1) }])],
  ['fails', () => Promise.reject(new Error('no'))],
])('leaves nothing on the signal of a run that %s', async (_, run) => {
  const { net } = load(run)
  const { signal } = new AbortController()
  const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')]
  await net.run({}, { signal }).catch(() => {})
  expect(added).toHaveBeenCalledOnce()
  expect(removed.mock.calls.map(([type, listener]) => [type, listener])).toEqual(
    added.mock.calls.map(([type, listener]) => [type, listener]),
  )
})

it('aborts a run that goes on, and a run that waits', async () => {
  const { net } = load(() => new Promise(() => {}))
  const controller = new AbortController()
  const both = [net.run({}, { signal: controller.signal }), net.run({}, { signal: controller.signal })]
  controller.abort()
  for (const run of both) await expect(run).rejects.toMatchObject({ code: 'run/aborted' })
})

it('disposes of its executor once', async () => {
  const { net, dispose } = load(() => Promise.resolve([]))
  await Promise.all([net.dispose(), net.dispose()])
  expect(dispose).toHaveBeenCalledOnce()
  await expect(net.run({})).rejects.toMatchObject({ code: 'model/disposed' })
})
