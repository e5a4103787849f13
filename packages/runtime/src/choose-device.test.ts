/** @file Which artifact is loaded, where it runs and with how many threads, and the reasons that a report gives. */
import type { ArtifactParts, LoadOptions, Manifest } from '@quern/artifact'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { chooseDevice } from './choose-device.ts'

const artifact = (target: 'wasm' | 'webgpu', predictedMs: number, sharedMaxPages?: number): ArtifactParts => {
  const manifest: Manifest = {
    format: 1,
    name: 'm',
    target,
    variant: sharedMaxPages === undefined ? 'plain' : 'threads',
    symbols: {},
    entries: { main: { inputs: [], outputs: [], predictedMs } },
    states: [],
    code: { file: 'c', bytes: 0, sha256: [] },
    features: [],
    kernels: [],
    ...(target === 'wasm' && {
      wasm: { symbols: {}, constantsAt: 64, statesAt: 64, arenaAt: 64, ...(sharedMaxPages && { sharedMaxPages }) },
    }),
  }
  return { manifest, assets: {} }
}
const both = (ms: number): ArtifactParts[] => [artifact('wasm', ms), artifact('wasm', ms, 16)]
const choose = async (artifacts: readonly ArtifactParts[], options: LoadOptions) => {
  const { parts, reasons, ...rest } = await chooseDevice(artifacts, options, undefined)
  const where = 'inWorker' in rest ? `${rest.inWorker ? 'worker' : 'caller'} ${rest.threads}` : 'gpu'
  return { chosen: `${parts.manifest.target} ${parts.manifest.variant} ${where}`, reasons }
}
afterEach(() => vi.unstubAllGlobals())

describe('wasm', () => {
  it.each([
    ['a short plan stays on the caller', 0.5, { threads: undefined }, 'wasm plain caller 1', []],
    ['a long plan gets a team', 5, { threads: 3 }, 'wasm threads worker 3', []],
    ['one thread when asked for', 5, { threads: 1 }, 'wasm plain worker 1', []],
    ['threads asked for make a team of a short plan', 0.5, { threads: 2 }, 'wasm threads worker 2', []],
    ['a worker when asked for', 0.5, { thread: 'worker', threads: 1 }, 'wasm plain worker 1', []],
    ['at most sixteen', 5, { threads: 99 }, 'wasm threads worker 16', []],
    [
      'the caller alone',
      5,
      { thread: 'caller', threads: 4 },
      'wasm plain caller 1',
      [expect.stringMatching(/^one thread: .*'caller' was asked for/)],
    ],
  ] as const)('%s', async (_, ms, { threads, ...options }, chosen, reasons) =>
    expect(
      await choose(both(ms), { device: 'wasm', ...options, ...(threads !== undefined && { threads }) } as LoadOptions),
    ).toEqual({ chosen, reasons: ['wasm: asked for', ...reasons] }),
  )

  it('no team without work to share', async () =>
    expect(await choose([artifact('wasm', 5)], { threads: 2 })).toEqual({
      chosen: 'wasm plain worker 1',
      reasons: ['wasm: the only target compiled', 'one thread: the model has no work that threads would share'],
    }))
  it('no team on a page that is not isolated', async () => {
    vi.stubGlobal('crossOriginIsolated', false)
    expect(await choose(both(5), { threads: 2 })).toMatchObject({
      chosen: 'wasm plain worker 1',
      reasons: [expect.any(String), expect.stringMatching(/^one thread: the page is not cross-origin isolated/)],
    })
  })
  it('no team where the engine gives no shared memory', async () =>
    expect(await choose([artifact('wasm', 5), artifact('wasm', 5, 1 << 20)], { threads: 2 })).toMatchObject({
      chosen: 'wasm plain worker 1',
      reasons: [expect.any(String), expect.stringMatching(/^one thread: the engine refused shared memory/)],
    }))
})

describe('devices', () => {
  const all = (onCpu: number, onGpu: number): ArtifactParts[] => [...both(onCpu), artifact('webgpu', onGpu)]
  it('auto stays on wasm where handing over costs more', async () =>
    expect(await choose(all(1, 0.1), { threads: 1 })).toEqual({
      chosen: 'wasm plain caller 1',
      reasons: ['wasm: predicted 1.00 ms a run', 'not webgpu: predicted 1.60 ms with hand-over and readback'],
    }))
  it('auto falls back to wasm without WebGPU, and says so', async () => {
    vi.stubGlobal('navigator', {})
    expect(await choose(all(50, 1), { threads: 1 })).toEqual({
      chosen: 'wasm plain worker 1',
      reasons: ['wasm: this browser has no WebGPU'],
    })
  })
  it('an insecure page is told that it is one', async () => {
    vi.stubGlobal('navigator', {})
    vi.stubGlobal('isSecureContext', false)
    await expect(choose(all(50, 1), { device: 'webgpu' })).rejects.toMatchObject({
      code: 'device/no-webgpu',
      message: expect.stringContaining('not a secure context'),
    })
  })
  it.each([
    ['webgpu', both(1), 'device/not-compiled'],
    ['wasm', [artifact('webgpu', 1)], 'device/not-compiled'],
    ['auto', [], 'artifact/malformed'],
  ] as const)('%s where it is not compiled', async (device, artifacts, code) =>
    expect(choose(artifacts, { device })).rejects.toMatchObject({ code }),
  )
})
