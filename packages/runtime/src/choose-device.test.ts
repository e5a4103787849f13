/** @file Which artifact is loaded, where it runs and with how many threads, and the reasons that a report gives. */
import type { ArtifactParts, Expr, LoadOptions, Manifest, SymbolBounds } from '@quern/artifact'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { chooseDevice } from './choose-device.ts'
import type { Webgpu } from './create-model.ts'

const artifact = (
  target: 'wasm' | 'webgpu',
  predictedMs: Expr,
  sharedMaxPages?: number,
  symbols: Readonly<Record<string, SymbolBounds>> = {},
): ArtifactParts => {
  const manifest: Manifest = {
    format: 1,
    name: 'm',
    target,
    variant: sharedMaxPages === undefined ? 'plain' : 'threads',
    symbols,
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

const short = "the caller's thread: predicted at most 0.50 ms a run"
const long = 'a worker: predicted at most 5.00 ms a run'

describe('wasm', () => {
  it.each([
    ['a short plan stays on the caller', 0.5, { threads: undefined }, 'wasm plain caller 1', [short]],
    ['a long plan gets a team', 5, { threads: undefined }, 'wasm threads worker 2', [long]],
    ['a team as large as was asked for', 5, { threads: 3 }, 'wasm threads worker 3', []],
    ['one thread when asked for', 5, { threads: 1 }, 'wasm plain worker 1', [long]],
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
  ] as const)('%s', async (_, ms, { threads, ...options }, chosen, reasons) => {
    vi.stubGlobal('navigator', { hardwareConcurrency: 2 })
    expect(
      await choose(both(ms), { device: 'wasm', ...options, ...(threads !== undefined && { threads }) } as LoadOptions),
    ).toEqual({ chosen, reasons: ['wasm: asked for', ...reasons] })
  })

  const growing = (n: SymbolBounds): ArtifactParts[] => [
    artifact('wasm', ['+', ['*', 0.1, ['/', ['+', 'n', 3], 4]], 0.01], undefined, { n }),
  ]
  it.each([
    [{ min: 1, max: 64 }, {}, 'caller', "the caller's thread: predicted at most 1.61 ms a run at n = 64"],
    [{ min: 1, max: 4096 }, {}, 'worker', 'a worker: predicted at most 102.41 ms a run at n = 4096'],
    [{ min: 1 }, {}, 'worker', 'a worker: a dim has no bound, so a run may take long'],
    [{ min: 1 }, { n: 8 }, 'caller', "the caller's thread: predicted at most 0.21 ms a run at n = 8"],
    [{ min: 1 }, { n: 400 }, 'worker', 'a worker: predicted at most 10.01 ms a run at n = 400'],
  ] as const)('where bounds %o and expected sizes %o say', async (n, dims, where, reason) => {
    expect(await choose(growing(n), { threads: 1, dims })).toEqual({
      chosen: `wasm plain ${where} 1`,
      reasons: ['wasm: the only target compiled', reason],
    })
  })
  it.each([
    [{ m: 3 }, 'option/unknown-name', 'there is no dim named m; the only one is n'],
    [{ n: 65 }, 'dim/out-of-bounds', 'the dim n is 65 in `dims`, and the model was compiled for 1 to 64'],
    [{ n: '8' as unknown as number }, 'dim/out-of-bounds', 'the dim n is 8 in `dims`'],
  ] as const)('expected sizes %o are refused', async (dims, code, message) =>
    expect(choose(growing({ min: 1, max: 64 }), { dims })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    }),
  )
  it('a dim without a bound that costs nothing', async () => {
    const parts = artifact('wasm', ['*', 0.1, ['min', 'n', 8]], undefined, { n: { min: 1 } })
    expect(await choose([parts], { threads: 1 })).toMatchObject({ chosen: 'wasm plain caller 1' })
  })

  it.each([
    [true, 'wasm relaxed worker 1', []],
    [false, 'wasm plain worker 1', [expect.stringMatching(/^no fused multiply-adds: .*no relaxed SIMD/)]],
  ] as const)('relaxed SIMD where the engine has it: %s', async (has, chosen, reasons) => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(has)
    const [plain] = both(5)
    if (plain === undefined) throw new Error('no artifact')
    const relaxed = {
      ...plain,
      manifest: { ...plain.manifest, variant: 'relaxed', features: ['relaxed-simd'] },
    }
    expect(await choose([plain, relaxed], { threads: 1 })).toEqual({
      chosen,
      reasons: ['wasm: the only target compiled', ...reasons, long],
    })
    vi.restoreAllMocks()
  })
  it('a dim that is named like what every object inherits', async () => {
    const bounds = { toString: { min: 1, max: 1 } }
    expect((await choose([artifact('wasm', 'toString', undefined, bounds)], { device: 'wasm' })).reasons).toContain(
      "the caller's thread: predicted at most 1.00 ms a run at toString = 1",
    )
  })
  it('no team without work to share', async () =>
    expect(await choose([artifact('wasm', 5)], { threads: 2 })).toEqual({
      chosen: 'wasm plain worker 1',
      reasons: ['wasm: the only target compiled', 'one thread: the model has no work that threads would share'],
    }))
  it('no team on a page that is not isolated', async () => {
    vi.stubGlobal('crossOriginIsolated', false)
    expect(await choose(both(5), { threads: 2 })).toMatchObject({
      chosen: 'wasm plain worker 1',
      reasons: [
        'wasm: the only target compiled',
        expect.stringMatching(/^one thread: the page is not cross-origin isolated/),
      ],
    })
  })
  it('no team where the engine gives no shared memory', async () =>
    expect(await choose([artifact('wasm', 5), artifact('wasm', 5, 1 << 20)], { threads: 2 })).toMatchObject({
      chosen: 'wasm plain worker 1',
      reasons: [expect.any(String), expect.stringMatching(/^one thread: the engine refused shared memory/)],
    }))
})

describe('devices', () => {
  const all = (onCpu: Expr, onGpu: Expr, n?: SymbolBounds): ArtifactParts[] => {
    const symbols: Record<string, SymbolBounds> = n === undefined ? {} : { n }
    return [artifact('wasm', onCpu, undefined, symbols), artifact('webgpu', onGpu, undefined, symbols)]
  }
  it('auto stays on wasm where handing over costs more', async () =>
    expect(await choose(all(1, 1.6), { threads: 1 })).toEqual({
      chosen: 'wasm plain caller 1',
      reasons: [
        'wasm: predicted 1.00 ms a run',
        'not webgpu: predicted 1.60 ms a run',
        "the caller's thread: predicted at most 1.00 ms a run",
      ],
    }))
  it.each([
    // wasm loses nothing at one end and little at the other.
    [{ min: 1, max: 20 }, {}, 'wasm: predicted 0.10 ms a run at n = 1, 2.00 ms a run at n = 20'],
    // wasm is quicker by 1.4 ms at one end, and slower by some 100 ms at the other.
    [{ min: 1, max: 1000 }, {}, 'not wasm: predicted 0.10 ms a run at n = 1, 100.00 ms a run at n = 1000'],
    [{ min: 1 }, {}, 'not wasm: predicted 0.10 ms a run at n = 1, 104857.60 ms a run at n = 1048576'],
    [{ min: 1, max: 1000 }, { n: 2 }, 'wasm: predicted 0.20 ms a run at n = 2'],
  ] as const)('auto over bounds %o and expected sizes %o', async (n, dims, reason) => {
    vi.stubGlobal('navigator', { gpu: {} })
    const gpu = {} as GPUDevice
    const webgpu = {
      openDevice: async (_: GPU, [parts]: readonly ArtifactParts[]) => ({ parts, gpu, reasons: [] }),
    } as unknown as Webgpu
    const chosen = await chooseDevice(
      all(['*', 0.1, 'n'], ['+', ['*', 0.001, 'n'], 1.5], n),
      { dims },
      async () => webgpu,
    )
    expect(chosen.parts.manifest.target).toBe(reason.startsWith('not') ? 'webgpu' : 'wasm')
    expect(chosen.reasons).toContain(reason)
  })
  it('auto falls back to wasm without WebGPU, and says so', async () => {
    vi.stubGlobal('navigator', {})
    expect(await choose(all(50, 1), { threads: 1 })).toEqual({
      chosen: 'wasm plain worker 1',
      reasons: ['wasm: this browser has no WebGPU', 'a worker: predicted at most 50.00 ms a run'],
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
