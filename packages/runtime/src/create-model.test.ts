/** @file What load() tells of its progress, and what it leaves on a signal. */
import type { ArtifactParts, Manifest, Progress } from '@quern/artifact'
import { expect, it } from 'vitest'
import { createModel } from './create-model.ts'
import { bareManifest } from './testing/bare-manifest.ts'

const code = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const weights = new Uint8Array(100).fill(3)
const manifest: Manifest = {
  ...bareManifest,
  entries: { main: { inputs: [], outputs: [], predictedMs: 0 } },
  code: { file: 'm.wasm', bytes: code.length, sha256: [] },
  weights: { file: 'm.weights', bytes: weights.length, sha256: [] },
  wasm: { symbols: {}, constantsAt: 64, statesAt: 192, arenaAt: 192 },
}
const modelOf = (assets: ArtifactParts['assets']) =>
  createModel({ name: 'm', kind: 'model', artifacts: [{ manifest, assets }] })
const model = modelOf({ 'm.wasm': async () => code, 'm.weights': async () => weights })

/** A signal, and the listeners that lie on it. */
const counted = () => {
  const controller = new AbortController()
  const listening = new Set<unknown>()
  const { signal } = controller
  const count = Object.assign(signal, {
    addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
      listening.add(args[1])
      EventTarget.prototype.addEventListener.apply(signal, args)
    },
    removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
      listening.delete(args[1])
      EventTarget.prototype.removeEventListener.apply(signal, args)
    },
  })
  return { controller, signal: count, listening }
}

it('counts from nothing to all bytes of code and weights', async () => {
  const seen: Progress[] = []
  await model.load({ onProgress: p => seen.push(p) })
  const total = code.length + weights.length
  expect(seen).toEqual([0, seen[1]?.loaded, total].map(loaded => ({ loaded, total })))
  expect([code.length, weights.length]).toContain(seen[1]?.loaded)
})

it('leaves nothing on its signal', async () => {
  const { controller, signal, listening } = counted()
  await model.load({ signal })
  expect(listening.size).toBe(0)
  const broken = modelOf({ 'm.wasm': async () => code, 'm.weights': async () => weights.subarray(1) })
  await expect(broken.load({ signal })).rejects.toMatchObject({ code: 'asset/truncated' })
  expect(listening.size).toBe(0)
  const slow = modelOf({
    'm.wasm': () => {
      expect(listening.size).toBe(1)
      controller.abort()
      return Promise.resolve(code)
    },
    'm.weights': async () => weights,
  })
  await expect(slow.load({ signal })).rejects.toMatchObject({ code: 'load/aborted' })
  expect(listening.size).toBe(0)
})
