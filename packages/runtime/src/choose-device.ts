/** @file Chooses the artifact to load, and says why it and why not the others. */
import { type ArtifactParts, type LoadOptions, QuernError } from '@quern/artifact'

export interface Choice {
  readonly parts: ArtifactParts
  readonly gpu: GPUDevice | undefined
  readonly threads: number
  readonly reasons: readonly string[]
}

/** A GPU spends about this long on handing over and reading back, whatever the model. Milliseconds. */
const gpuOverheadMs = 1.5
const mainEntry = (parts: ArtifactParts): number =>
  Math.max(0, ...Object.values(parts.manifest.entries).map(e => e.predictedMs))

export const chooseDevice = async (
  artifacts: readonly ArtifactParts[],
  { device = 'auto', threads }: LoadOptions,
): Promise<Choice> => {
  const reasons: string[] = []
  const wasm = chooseWasm(
    artifacts.filter(a => a.manifest.target === 'wasm'),
    threads,
    reasons,
  )
  const webgpu = artifacts.filter(a => a.manifest.target === 'webgpu')
  if (device === 'wasm') {
    if (wasm === undefined)
      throw new QuernError('device/not-compiled', "the model was not compiled for wasm: add 'wasm' to `targets`", {
        device,
      })
    return { ...wasm, gpu: undefined, reasons: ['wasm: asked for', ...reasons] }
  }
  if (webgpu.length === 0) {
    if (device === 'webgpu')
      throw new QuernError('device/not-compiled', "the model was not compiled for webgpu: add 'webgpu' to `targets`", {
        device,
      })
    if (wasm === undefined)
      throw new QuernError('artifact/malformed', 'the stub names no artifact: rebuild the app', {})
    return { ...wasm, gpu: undefined, reasons: ['wasm: the only target compiled', ...reasons] }
  }
  if (device === 'auto' && wasm !== undefined) {
    const onCpu = mainEntry(wasm.parts),
      onGpu = Math.min(...webgpu.map(mainEntry)) + gpuOverheadMs
    if (onCpu <= onGpu)
      return {
        ...wasm,
        gpu: undefined,
        reasons: [
          `wasm: predicted ${onCpu.toFixed(2)} ms a run`,
          `not webgpu: predicted ${onGpu.toFixed(2)} ms with hand-over and readback`,
          ...reasons,
        ],
      }
  }
  const found = await requestGpu(webgpu)
  if ('gpu' in found)
    return {
      ...found,
      threads: 1,
      reasons: [
        device === 'webgpu'
          ? 'webgpu: asked for'
          : `webgpu: predicted ${(mainEntry(found.parts) + gpuOverheadMs).toFixed(2)} ms a run`,
        ...found.reasons,
      ],
    }
  if (device === 'webgpu' || wasm === undefined)
    throw new QuernError(
      'device/no-webgpu',
      `WebGPU was asked for, and ${found.why}: load with device 'wasm' or 'auto', or open the page in a browser with WebGPU over https or localhost`,
      { why: found.why },
    )
  return { ...wasm, gpu: undefined, reasons: [`wasm: ${found.why}`, ...reasons] }
}

const chooseWasm = (
  variants: readonly ArtifactParts[],
  wanted: number | undefined,
  reasons: string[],
): { parts: ArtifactParts; threads: number } | undefined => {
  const single = variants.find(a => a.manifest.wasm?.sharedMaxPages === undefined)
  const shared = variants.find(a => a.manifest.wasm?.sharedMaxPages !== undefined)
  const isolated = typeof SharedArrayBuffer === 'function' && (globalThis.crossOriginIsolated ?? true)
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1
  const threads = Math.min(wanted ?? Math.min(cores, 4), 16)
  if (shared !== undefined && threads > 1) {
    if (isolated) return { parts: shared, threads }
    reasons.push('one thread: the page is not cross-origin isolated, so shared memory is refused')
  }
  const parts = single ?? shared
  return parts && { parts, threads: 1 }
}

const requestGpu = async (
  artifacts: readonly ArtifactParts[],
): Promise<{ parts: ArtifactParts; gpu: GPUDevice; reasons: string[] } | { why: string }> => {
  const api: GPU | undefined = globalThis.navigator?.gpu
  if (api === undefined)
    return {
      why:
        globalThis.isSecureContext === false
          ? 'this page is not a secure context, where browsers hide WebGPU'
          : 'this browser has no WebGPU',
    }
  const adapter = await api.requestAdapter().catch(() => null)
  if (adapter === null) return { why: 'the browser found no GPU adapter' }
  const reasons: string[] = []
  // The variant with most features that the adapter has; the stub lists them from plain to special.
  const usable = artifacts.filter(a => {
    const missing = a.manifest.features.filter(f => !adapter.features.has(f))
    if (missing.length > 0) reasons.push(`not ${a.manifest.variant}: the adapter lacks ${missing.join(', ')}`)
    return missing.length === 0
  })
  const parts = usable.at(-1)
  if (parts === undefined) return { why: `the adapter lacks features that every variant needs: ${reasons.join('; ')}` }
  try {
    const gpu = await adapter.requestDevice({
      requiredFeatures: parts.manifest.features as GPUFeatureName[],
      requiredLimits: {
        maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
        maxBufferSize: adapter.limits.maxBufferSize,
      },
    })
    return { parts, gpu, reasons }
  } catch (cause) {
    return { why: `the adapter gave no device (${String(cause)})` }
  }
}
