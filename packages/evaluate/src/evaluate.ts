/** @file From a model file to compiled programs: bundle, look in the cache, run in a thread, keep the result. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { QuernError } from '@quern/artifact'
import { bundleModel } from './bundle.ts'
import { cacheKey, readCache, writeCache } from './cache.ts'
import { failureOf } from './failure.ts'
import { type Thread, runInThread, startThread } from './thread.ts'
import type { EvaluateOptions, Evaluation, Failure } from './types.ts'

export const defaultTimeout = 120_000

/** Of a file that exports no model: what is wrong with that, at the model that it makes, or of the file as a whole. */
export const noModel = ({ file, programs, notData, unexported }: Evaluation): Failure | undefined => {
  if (programs.length > 0) return undefined
  const [first] = unexported
  if (first !== undefined) return first
  const other = notData.map(({ exportName, is }) => `, and \`${exportName}\` is ${is}`).join('')
  return failureOf(
    new QuernError(
      'model/no-model',
      `${basename(file)} exports no model${other}: \`export default model(…)\` makes one`,
      { origin: { file, line: 1, column: 1 } },
    ),
  )
}

/**
 * Evaluates a model file in a worker thread and compiles what it exports.
 * @returns plain data; a mistake in the file is its `error`, never a rejection
 */
export const evaluateModelFile = async (path: string, options: EvaluateOptions = {}): Promise<Evaluation> => {
  const file = resolve(path)
  const started = performance.now()
  const { standby } = options
  const take = (): Thread => standby?.take() ?? startThread({ preload: options.standIns === undefined })
  // Where no kept result can answer, the thread loads the compiler while the file is bundled.
  const early = options.cacheDir === undefined && standby === undefined ? take() : undefined
  const bundled = await bundleModel(file, options)
  const bundle = performance.now() - started
  const known = [...new Set([file, ...bundled.modules, ...bundled.files])]
  options.onDependencies?.(known)
  const nothing = { file, programs: [], exports: {}, notData: [], unexported: [], dependencies: known, cached: false }
  if (!bundled.ok) {
    await early?.worker.terminate()
    return { ...nothing, error: bundled.failure, ms: { bundle, evaluate: 0 } }
  }

  const compile = options.compile ?? {}
  const keep =
    options.cacheDir !== undefined && options.stages !== true
      ? { dir: options.cacheDir, key: await cacheKey(bundled, compile, options.overrideTargets === true) }
      : undefined
  if (keep !== undefined && options.renew !== true) {
    const kept = await readCache(keep.dir, keep.key)
    if (kept !== undefined)
      return {
        ...kept,
        file,
        dependencies: [...new Set([...known, ...kept.read])],
        cached: true,
        ms: { bundle, evaluate: 0 },
      }
  }

  const folder = await mkdtemp(join(tmpdir(), 'quern-'))
  try {
    const target = join(folder, 'model.mjs')
    await writeFile(target, `${bundled.code}\n//# sourceMappingURL=model.mjs.map\n`)
    await writeFile(`${target}.map`, bundled.map)
    const reply = await runInThread(
      {
        file,
        bundle: pathToFileURL(target).href,
        own: bundled.own,
        imports: bundled.imports,
        exports: bundled.exports,
        files: bundled.modules,
        compile,
        overrideTargets: options.overrideTargets === true,
        stages: options.stages === true,
      },
      {
        timeout: options.timeout ?? defaultTimeout,
        map: bundled.map,
        ...(options.signal && { signal: options.signal }),
        ...(options.onProgress && { onProgress: options.onProgress }),
      },
      early ?? take(),
    )
    const dependencies = [...new Set([...known, ...reply.read])]
    const ms = { bundle, evaluate: performance.now() - started - bundle }
    if (!reply.ok) return { ...nothing, dependencies, error: reply.failure, ms }
    const { programs, exports, notData, unexported, read } = reply
    const kept =
      keep &&
      (await writeCache(keep.dir, keep.key, {
        programs,
        exports,
        notData,
        unexported,
        read: [...new Set([...bundled.files, ...read])],
      }))
    return {
      file,
      programs,
      exports,
      notData,
      unexported,
      dependencies,
      cached: false,
      ms,
      ...(kept === undefined ? {} : { folder: kept }),
    }
  } finally {
    standby?.prepare()
    await rm(folder, { recursive: true, force: true })
  }
}
