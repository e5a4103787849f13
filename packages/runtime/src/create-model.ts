/** @file What an emitted stub calls: a model over its artifacts, loaded on demand. */
import { type LoadOptions, type Manifest, type ModelParts, QuernError } from '@quern/artifact'
import { checking, fetchAsset, throwIfAborted } from './assets.ts'
import { checkLoadOptions } from './check-options.ts'
import { type WasmChoice, chooseDevice } from './choose-device.ts'
import type { Executor } from './executor.ts'
import { type AnyLoaded, loadedModel } from './loaded-model.ts'
import { callerHost } from './wasm/caller-host.ts'
import { wasmExecutor } from './wasm/executor.ts'
import { workerHost } from './wasm/worker-host.ts'

export type Webgpu = typeof import('./webgpu/index.ts')

export interface RuntimeParts extends ModelParts {
  /** `() => import('@quern/runtime/webgpu')` where an artifact needs it: an app without one ships none of that code. */
  readonly webgpu?: () => Promise<Webgpu>
}

export const createModel = (parts: RuntimeParts): { load(options?: LoadOptions): Promise<AnyLoaded> } => ({
  load: (options = {}) => loadModel(parts, options),
})

const loadModel = async ({ kind, artifacts, webgpu }: RuntimeParts, options: LoadOptions): Promise<AnyLoaded> => {
  const start = performance.now()
  checkLoadOptions(options)
  const { signal } = options
  throwIfAborted(signal)
  const formats = artifacts.map(a => a.manifest.format).filter(format => format !== 1)
  if (formats.length > 0)
    throw new QuernError(
      'artifact/format',
      `the artifact has format ${String(formats[0])}, and this runtime reads format 1: build the app with one version of Quern`,
      { found: formats[0] },
    )
  const choice = await chooseDevice(artifacts, options, webgpu)
  throwIfAborted(signal)
  const { manifest } = choice.parts

  // Whatever fails first ends the other transfers too.
  const stopping = new AbortController()
  const stop = (): void => stopping.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const total = manifest.code.bytes + (manifest.weights?.bytes ?? 0)
  let loaded = 0
  const onBytes = (count: number): void => {
    if (stopping.signal.aborted) return
    loaded += count
    options.onProgress?.({ loaded, total })
  }
  onBytes(0)
  const fetching = { signal: stopping.signal, onBytes }
  const code = fetchAsset(choice.parts, manifest.code, fetching)
  const weights =
    manifest.weights === undefined
      ? Promise.resolve(new Uint8Array(0))
      : fetchAsset(choice.parts, manifest.weights, fetching)
  let fetched = start
  const assets = Promise.all([code, weights]).then(both => {
    fetched = performance.now()
    return both
  })
  // Whichever fails first is the error: what it ends, and the device backends that wait for it, fail after it.
  let failure: unknown
  assets.catch((error: unknown) => {
    failure = error
    stop()
  })
  try {
    const executor =
      choice.gpu === undefined
        ? await wasm(manifest, code, weights, choice)
        : await choice.webgpu.webgpuExecutor(choice.gpu, manifest, await code, weights)
    const ready = performance.now()
    if (signal?.aborted === true) {
      await executor.dispose(Promise.resolve())
      throwIfAborted(signal)
    }
    return loadedModel(kind, manifest, executor, {
      reasons: choice.reasons,
      codeBytes: manifest.code.bytes,
      weightBytes: manifest.weights?.bytes ?? 0,
      checked: checking(),
      ms: { load: fetched - start, compile: ready - fetched },
    })
  } catch (error) {
    failure ??= error
    stop()
    // An aborted load may end in any error of what it interrupted.
    throwIfAborted(signal)
    throw failure
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

const compiled = (manifest: Manifest, code: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> =>
  WebAssembly.compile(code).catch((cause: unknown) => {
    throw new QuernError(
      'wasm/not-supported',
      `this engine does not take the module of ${manifest.name} (${manifest.variant}): it needs WebAssembly SIMD, and a content security policy must allow 'wasm-unsafe-eval'`,
      { variant: manifest.variant, reason: cause instanceof Error ? cause.message : String(cause) },
      cause,
    )
  })

const wasm = async (
  manifest: Manifest,
  code: Promise<Uint8Array<ArrayBuffer>>,
  weights: Promise<Uint8Array<ArrayBuffer>>,
  { inWorker, threads, memory }: WasmChoice,
): Promise<Executor> => {
  // The module is compiled while the weights, most of the bytes, are still on their way.
  const [module, bytes] = await Promise.all([code.then(c => compiled(manifest, c)), weights])
  const image = { manifest, module, weights: bytes }
  return wasmExecutor(manifest, await (inWorker ? workerHost(image, threads, memory) : callerHost(image)))
}
