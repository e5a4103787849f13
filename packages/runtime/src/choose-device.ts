/** @file Chooses the artifact to load, and says why it and why not the others. */
import { type ArtifactParts, type LoadOptions, QuernError } from '@quern/artifact'
import { canSpawn, cores } from '#platform'
import { predictAtEnds, predictMost } from './predict.ts'
import { checkDim } from './bind-inputs.ts'
import { checkName } from './check-options.ts'
import { hasRelaxedSimd } from './wasm/relaxed-simd.ts'
import { makeMemory } from './wasm/instance.ts'
import type { Webgpu } from './create-model.ts'

export interface WasmChoice {
  readonly parts: ArtifactParts
  readonly gpu?: never
  readonly inWorker: boolean
  readonly threads: number
  /** Made already where a team shares it: only making it tells whether the engine gives it. */
  readonly memory: WebAssembly.Memory | undefined
  readonly reasons: readonly string[]
}
export interface GpuChoice {
  readonly parts: ArtifactParts
  readonly gpu: GPUDevice
  readonly webgpu: Webgpu
  readonly reasons: readonly string[]
}

/** A plan predicted to take less runs on the caller's thread: the hand-over would cost more than it frees. Milliseconds. */
const inlineBelowMs = 2
const mostThreads = 16

export const chooseDevice = async (
  artifacts: readonly ArtifactParts[],
  options: LoadOptions,
  loadWebgpu: (() => Promise<Webgpu>) | undefined,
): Promise<WasmChoice | GpuChoice> => {
  const { device = 'auto', dims = {} } = options
  const wasm = artifacts.filter(a => a.manifest.target === 'wasm')
  const webgpu = artifacts.filter(a => a.manifest.target === 'webgpu')
  const [first] = artifacts
  if (first === undefined) throw new QuernError('artifact/malformed', 'the stub names no artifact: rebuild the app', {})
  const { manifest } = first
  for (const [name, value] of Object.entries(dims)) {
    checkName('dim', name, manifest.symbols)
    checkDim(manifest, name, value, 'in `dims`')
  }
  const [onCpu] = wasm
  if ((device === 'wasm' && onCpu === undefined) || (device === 'webgpu' && webgpu.length === 0))
    throw new QuernError(
      'device/not-compiled',
      `the model was not compiled for ${device}: add '${device}' to \`targets\``,
      { device },
    )
  const toWasm = (...why: string[]): WasmChoice => {
    const chosen = chooseWasm(wasm, options)
    return { ...chosen, reasons: [...why, ...chosen.reasons] }
  }
  if (device === 'wasm') return toWasm('wasm: asked for')
  const [byGpu] = webgpu.map(parts => predictAtEnds(parts, options))
  if (byGpu === undefined) return toWasm('wasm: the only target compiled')
  const byCpu = onCpu && predictAtEnds(onCpu, options)
  // The device that loses less where it loses: what both ends take together decides.
  if (device === 'auto' && byCpu !== undefined && byCpu.ms <= byGpu.ms)
    return toWasm(`wasm: ${byCpu.says}`, `not webgpu: ${byGpu.says}`)
  const found = await findGpu(webgpu, loadWebgpu, device === 'auto' && onCpu !== undefined)
  if ('gpu' in found) {
    const why =
      device === 'webgpu'
        ? ['webgpu: asked for']
        : [`webgpu: ${byGpu.says}`, byCpu === undefined ? 'not wasm: not compiled for it' : `not wasm: ${byCpu.says}`]
    return { ...found, reasons: [...why, ...found.reasons] }
  }
  if (device === 'webgpu' || onCpu === undefined)
    throw new QuernError(
      'device/no-webgpu',
      `WebGPU was asked for, and ${found.why}: load with device 'wasm' or 'auto', or open the page in a browser with WebGPU over https or localhost`,
      { why: found.why },
    )
  return toWasm(`wasm: ${found.why}`)
}

const findGpu = async (
  artifacts: readonly ArtifactParts[],
  loadWebgpu: (() => Promise<Webgpu>) | undefined,
  hardwareOnly: boolean,
): Promise<GpuChoice | { readonly why: string }> => {
  const api: GPU | undefined = globalThis.navigator?.gpu
  if (api === undefined)
    return {
      why:
        globalThis.isSecureContext === false
          ? 'this page is not a secure context, where browsers hide WebGPU'
          : 'this browser has no WebGPU',
    }
  if (loadWebgpu === undefined)
    throw new QuernError('artifact/malformed', "the stub lacks the runtime's WebGPU part: rebuild the app", {})
  const webgpu = await loadWebgpu().catch((cause: unknown) => {
    throw new QuernError(
      'asset/unreachable',
      "the chunk with the runtime's WebGPU part did not load: deploy the files of one build together",
      {},
      cause,
    )
  })
  const found = await webgpu.openDevice(api, artifacts, hardwareOnly)
  return 'gpu' in found ? { ...found, webgpu } : found
}

/** Where wasm runs, and with how many threads. */
const chooseWasm = (variants: readonly ArtifactParts[], options: LoadOptions): WasmChoice => {
  const { thread = 'auto', threads: wanted } = options
  // The stub lists them from plain to special.
  const usable = variants.filter(({ manifest }) => manifest.features.length === 0 || hasRelaxedSimd())
  const single = usable.filter(a => a.manifest.wasm?.sharedMaxPages === undefined).at(-1)
  const shared = usable.filter(a => a.manifest.wasm?.sharedMaxPages !== undefined).at(-1)
  const plain = single ?? shared
  if (plain === undefined) throw new Error('no wasm variant')
  const threads = Math.min(wanted ?? Math.min(cores(), 4), mostThreads)
  const asked = thread === 'worker' || (wanted !== undefined && wanted > 1)
  const most = predictMost(plain, options)
  const slow = !(most.ms < inlineBelowMs)
  const inWorker = thread !== 'caller' && (asked || slow) && canSpawn()
  const where = [
    ...(usable.length < variants.length ? ['no fused multiply-adds: this engine has no relaxed SIMD'] : []),
    ...(thread === 'caller' || asked
      ? []
      : [
          `${inWorker ? 'a worker' : `the caller's thread${slow ? ', since this realm starts no workers' : ''}`}: ${most.says}`,
        ]),
  ]
  const one = (...reasons: string[]): WasmChoice => ({
    parts: plain,
    inWorker,
    threads: 1,
    memory: undefined,
    reasons: [...where, ...reasons],
  })

  if (threads <= 1) return one()
  if (thread === 'caller')
    return one(...(wanted === undefined ? [] : ["one thread: a team needs workers, and thread 'caller' was asked for"]))
  if (!inWorker) return one(...(asked ? ['one thread: this realm starts no workers'] : []))
  if (shared === undefined) return one('one thread: the model has no work that threads would share')
  if (typeof SharedArrayBuffer !== 'function' || globalThis.crossOriginIsolated === false)
    return one(
      'one thread: the page is not cross-origin isolated, so shared memory is refused (send COOP and COEP headers)',
    )
  try {
    return { parts: shared, inWorker, threads, memory: makeMemory(shared.manifest), reasons: where }
  } catch {
    return one(
      `one thread: the engine refused shared memory of up to ${shared.manifest.wasm?.sharedMaxPages} pages of 64 KiB`,
    )
  }
}
