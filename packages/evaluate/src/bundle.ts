/** @file Bundles a model file with the modules it imports by path. Packages stay outside, as URLs of the files they resolve to. */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, extname, isAbsolute, resolve as resolvePath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { QuernError, isQuernError } from '@quern/artifact'
import { type Plugin, type RolldownError, rolldown } from 'rolldown'
import { failureOf } from './failure.ts'
import { type NamedImport, instrument } from './instrument.ts'
import { conditions, ownFile, ownPackages } from './packages.ts'
import type { EvaluateOptions, Failure } from './types.ts'

export interface Bundled {
  readonly code: string
  readonly map: string
  /** The user's modules, then the files they name by `new URL('…', import.meta.url)`: absolute paths. */
  readonly modules: readonly string[]
  readonly files: readonly string[]
  /** Packages that the bundle imports: file URLs. */
  readonly packages: readonly string[]
  /** The names that it takes from them. */
  readonly imports: readonly PackageImport[]
  /** URLs of {@link ownPackages}. */
  readonly own: Readonly<Record<keyof typeof ownPackages, string>>
}

/** A name that a module of the user imports from a package. */
export interface PackageImport extends NamedImport {
  readonly url: string
}

export type BundleResult =
  | ({ readonly ok: true } & Bundled)
  | {
      readonly ok: false
      readonly failure: Failure
      readonly modules: readonly string[]
      readonly files: readonly string[]
    }

const inPackage = /[\\/]node_modules[\\/]/
const runnable = new Set(['.js', '.mjs', '.cjs'])

export const bundleModel = async (file: string, options: EvaluateOptions): Promise<BundleResult> => {
  const modules = new Set([file])
  const files = new Set<string>()
  const packages = new Set<string>()
  const imports: NamedImport[] = []
  /** What specifiers of modules turned out to be. */
  const urls = new Map<string, string>()
  const missing: { readonly specifier: string; readonly importer: string }[] = []
  const own: Record<keyof typeof ownPackages, string> = { model: '', instrumented: '', compiler: '' }

  const plugin: Plugin = {
    name: 'quern:evaluate',
    async buildStart() {
      for (const key of Object.keys(ownPackages) as (keyof typeof ownPackages)[]) {
        const specifier = ownPackages[key]
        const found = options.standIns?.[specifier] ?? (await this.resolve(specifier, ownFile, { skipSelf: true }))?.id
        if (found === undefined)
          throw new QuernError('evaluate/package-missing', `${specifier} is not installed beside @quern/evaluate`)
        own[key] = asUrl(found)
      }
    },
    async resolveId(specifier, importer) {
      if (importer === undefined || isBuiltin(specifier))
        return importer === undefined ? null : { id: specifier, external: true }
      const outside = (id: string) => {
        packages.add(asUrl(id))
        urls.set(JSON.stringify([importer, specifier]), asUrl(id))
        return { id: asUrl(id), external: true }
      }
      const standIn = options.standIns?.[specifier]
      if (standIn !== undefined) return outside(standIn)
      if (specifier.startsWith('file:'))
        return Object.values(own).includes(specifier) ? outside(specifier) : fileURLToPath(specifier)
      const wanted = (await options.resolve?.(specifier, importer)) ?? specifier
      if (wanted.startsWith('.') || isAbsolute(wanted))
        return wanted === specifier ? null : this.resolve(wanted, importer, { skipSelf: true })
      const ours = wanted.startsWith('@quern/') ? await this.resolve(wanted, ownFile, { skipSelf: true }) : null
      if (ours && !ours.external) return outside(ours.id)
      const found = (await this.resolve(wanted, importer, { skipSelf: true }))?.id
      if (found === undefined || !isAbsolute(found)) {
        missing.push({ specifier, importer })
        return { id: specifier, external: true }
      }
      // A linked package without built files is source like the user's own.
      const path = found.replace(/[?#].*$/, '')
      return runnable.has(extname(path)) && (inPackage.test(path) || wanted.startsWith('@quern/'))
        ? outside(path)
        : found
    },
    transform: {
      filter: { id: /\.[cm]?[jt]sx?$/ },
      handler(code, id) {
        if (!isAbsolute(id)) return null
        modules.add(id)
        const done = instrument(code, {
          file: id,
          url: pathToFileURL(id).href,
          dirname: dirname(id),
          calls: !inPackage.test(id),
          instrumented: own.instrumented,
        })
        imports.push(...(done?.imports ?? []))
        for (const url of done?.urls ?? []) {
          const target = new URL(url, pathToFileURL(id))
          if (target.protocol === 'file:') files.add(fileURLToPath(target))
        }
        return done === undefined ? null : { code: done.code, map: done.map.toString() }
      },
    },
  }

  try {
    const bundle = await rolldown({
      input: file,
      platform: 'node',
      // Effects on import (a weight file that is read, a check that throws) are what evaluation is for.
      treeshake: false,
      resolve: { conditionNames: [...conditions] },
      plugins: [plugin],
      logLevel: 'silent',
    })
    try {
      const { output } = await bundle.generate({
        format: 'esm',
        sourcemap: true,
        codeSplitting: false,
        // Not even dead code: after a top-level `throw` it would be dropped, and its exports fail to link before the throw is seen.
        minify: false,
        sourcemapPathTransform: absolute,
      })
      const [chunk] = output
      for (const path of await bundle.watchFiles) if (isAbsolute(path)) modules.add(path)
      const [gone] = missing
      if (gone !== undefined)
        return {
          ok: false,
          failure: failureOf(packageMissing(gone.specifier, gone.importer)),
          modules: [...modules],
          files: [...files],
        }
      return {
        ok: true,
        code: chunk.code,
        map: chunk.map?.toString() ?? '',
        modules: [...modules],
        files: [...files],
        packages: [...packages],
        imports: imports.flatMap(i => {
          const url = urls.get(JSON.stringify([i.span.file, i.from]))
          return url === undefined ? [] : [{ ...i, url }]
        }),
        own,
      }
    } finally {
      await bundle.close()
    }
  } catch (error) {
    for (const path of missingFiles(error)) files.add(path)
    return { ok: false, failure: failureOf(bundleFailure(error)), modules: [...modules], files: [...files] }
  }
}

const asUrl = (id: string): string => (id.startsWith('file:') ? id : pathToFileURL(id).href)

/** Sources are named by URL: a stack then holds the user's own path, wherever the temporary file is. */
const absolute = (source: string, mapPath: string): string =>
  source.startsWith('file:') ? source : pathToFileURL(resolvePath(dirname(mapPath), source)).href

const logsOf = (error: unknown): readonly RolldownError[] => {
  const errors = (error as { readonly errors?: readonly RolldownError[] } | null)?.errors
  return Array.isArray(errors) ? errors : []
}

/** Files that do not exist are watched too: making one is how the user recovers. */
const missingFiles = (error: unknown): readonly string[] =>
  logsOf(error).flatMap(({ code, exporter, id }) =>
    code === 'UNRESOLVED_IMPORT' && exporter?.startsWith('.') && id !== undefined
      ? [resolvePath(dirname(id), exporter)]
      : [],
  )

const bundleFailure = (error: unknown): QuernError => {
  const [log] = logsOf(error)
  if (log === undefined)
    return isQuernError(error)
      ? error
      : new QuernError('evaluate/bundle', `the model file could not be bundled: ${String(error)}`, {}, error)
  const { id = log.loc?.file, loc } = log
  const origin =
    id === undefined || loc === undefined ? undefined : { file: id, line: loc.line, column: loc.column + 1 }
  const said = log.message.replace(/^\[\w+\]\s*/, '').split('\n', 1)[0] ?? log.message
  if (log.code === 'PARSE_ERROR') return new QuernError('model/syntax', `this is not TypeScript: ${said}`, { origin })
  if (log.code === 'UNRESOLVED_IMPORT' && log.exporter !== undefined)
    return new QuernError('model/import-not-found', `cannot find ${log.exporter}`, { origin, specifier: log.exporter })
  return new QuernError('model/bundle', `a module of the model could not be loaded: ${said}`, { origin })
}

const packageMissing = (specifier: string, importer: string): QuernError => {
  const lines = readFileSync(importer, 'utf8').split('\n')
  const line = lines.findIndex(l => l.includes(`'${specifier}'`) || l.includes(`"${specifier}"`))
  const column = (lines[line]?.indexOf(specifier) ?? 0) + 1
  return new QuernError('model/import-not-found', `cannot find the package ${specifier}: is it installed?`, {
    specifier,
    origin: line < 0 ? undefined : { file: importer, line: line + 1, column, length: specifier.length },
  })
}
