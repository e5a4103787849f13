/** @file What an emitted stub calls: a model over its artifacts, loaded on demand. */
import { type ArtifactParts, type LoadOptions, type ModelParts, QuernError } from '@quern/artifact'
import { checking, fetchAsset, throwIfAborted } from './assets.ts'
import { chooseDevice } from './choose-device.ts'
import type { Executor } from './executor.ts'
import { type AnyLoaded, loadedModel } from './loaded-model.ts'
import { canSpawn } from '#platform'
import { callerExecutor } from './wasm/caller-executor.ts'
import { workerExecutor } from './wasm/worker-executor.ts'

/** A plan predicted to take less runs on the caller's thread: the hand-over would cost more than it frees. Milliseconds. */
const inlineBelowMs = 2

export const createModel = (parts: ModelParts): { load(options?: LoadOptions): Promise<AnyLoaded> } => ({
  load: (options = {}) => loadModel(parts, options),
})

const loadModel = async ({ kind, artifacts }: ModelParts, options: LoadOptions): Promise<AnyLoaded> => {
  const start = performance.now()
  throwIfAborted(options.signal)
  const choice = await chooseDevice(artifacts, options)
  throwIfAborted(options.signal)
  const { manifest } = choice.parts
  if (manifest.format !== 1)
    throw new QuernError(
      'artifact/format',
      `the artifact has format ${String(manifest.format)}, and this runtime reads format 1: build the app with one version of Quern`,
      { found: manifest.format },
    )
  const total = manifest.code.bytes + (manifest.weights?.bytes ?? 0)
  let loaded = 0
  options.onProgress?.({ loaded, total })
  const onBytes = (count: number): void => {
    loaded += count
    options.onProgress?.({ loaded, total })
  }
  const fetching = { signal: options.signal, onBytes }
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
  // Whichever fails first is the error; the other is not to be reported as unhandled.
  assets.catch(() => {})
  const executor =
    choice.gpu === undefined
      ? await wasmExecutor(choice.parts, ...(await assets), choice.threads, options)
      : await (await import('./webgpu/executor.ts')).webgpuExecutor(choice.gpu, manifest, await code, weights)
  const ready = performance.now()
  if (options.signal?.aborted === true) {
    await executor.dispose()
    throwIfAborted(options.signal)
  }
  return loadedModel(kind, manifest, executor, {
    reasons: choice.reasons,
    codeBytes: manifest.code.bytes,
    weightBytes: manifest.weights?.bytes ?? 0,
    checked: checking(),
    ms: { load: fetched - start, compile: ready - fetched },
  })
}

const wasmExecutor = async (
  { manifest }: ArtifactParts,
  code: Uint8Array<ArrayBuffer>,
  weights: Uint8Array,
  threads: number,
  { thread = 'auto' }: LoadOptions,
): Promise<Executor> => {
  const module = await WebAssembly.compile(code).catch((cause: unknown) => {
    throw new QuernError(
      'wasm/not-supported',
      `this engine does not take the module of ${manifest.name} (${manifest.variant}): it needs WebAssembly SIMD`,
      { variant: manifest.variant },
      cause,
    )
  })
  const image = { manifest, module, weights }
  const slow = Object.values(manifest.entries).some(e => e.predictedMs >= inlineBelowMs)
  const inWorker = thread === 'worker' || threads > 1 || (thread === 'auto' && slow)
  if (thread !== 'caller' && inWorker && canSpawn()) return workerExecutor(image, threads)
  return callerExecutor(image)
}
