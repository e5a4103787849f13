/** @file The module is compiled while the weights are on their way. */
import { afterEach, expect, it, vi } from 'vitest'
import { createModel } from './create-model.ts'
import { bareManifest } from './testing/bare-manifest.ts'

afterEach(() => void vi.restoreAllMocks())

const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

it('compiles before the weights are there', async () => {
  const compile = vi.spyOn(WebAssembly, 'compile')
  let send: (bytes: Uint8Array<ArrayBuffer>) => void = () => {}
  const weights = new Promise<Uint8Array<ArrayBuffer>>(resolve => (send = resolve))
  const manifest = {
    ...bareManifest,
    code: { file: 'code', bytes: empty.length, sha256: [] },
    weights: { file: 'weights', bytes: 4, sha256: [] },
  }
  const model = createModel({
    name: 'm',
    kind: 'model',
    artifacts: [{ manifest, assets: { code: () => Promise.resolve(empty), weights: () => weights } }],
  })
  const loading = model.load({ device: 'wasm', thread: 'caller' }).catch(() => {})
  await vi.waitFor(() => expect(compile).toHaveBeenCalledTimes(1))
  send(new Uint8Array(4))
  await loading
})
