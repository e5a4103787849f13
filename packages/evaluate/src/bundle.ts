/** @file Bundles a model file with the modules it imports by path. Packages stay outside, as URLs of the files they resolve to. */
import { isBuiltin } from 'node:module'
import { dirname, extname, isAbsolute, resolve as resolvePath } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { QuernError, isQuernError } from '@quern/artifact'
import type { Span } from '@quern/core-ir'
import { type Plugin, type RolldownError, rolldown } from 'rolldown'
import { failureOf, sourceOf } from './failure.ts'
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
  /** Where the model file names what it exports. */
  readonly exports: Readonly<Record<string, Span>>
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
  let exports: Readonly<Record<string, Span>> = {}
  /** What specifiers of modules turned out to be. */
  const urls = new Map<string, string>()
  const refused: QuernError[] = []
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
      if (notCode.test(specifier)) {
        refused.push(importedNoCode(specifier, importer))
        return { id: specifier, external: true }
      }
      const wanted = (await options.resolve?.(specifier, importer)) ?? specifier
      if (wanted.startsWith('.') || isAbsolute(wanted))
        return wanted === specifier ? null : this.resolve(wanted, importer, { skipSelf: true })
      const ours = wanted.startsWith('@quern/') ? await this.resolve(wanted, ownFile, { skipSelf: true }) : null
      if (ours && !ours.external) return outside(ours.id)
      const found = (await this.resolve(wanted, importer, { skipSelf: true }))?.id
      if (found === undefined || !isAbsolute(found)) {
        refused.push(packageMissing(specifier, importer))
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
        if (id === file) exports = done?.exports ?? {}
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
      const [first] = refused
      if (first !== undefined)
        return {
          ok: false,
          failure: failureOf(first),
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
        exports,
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
    return new QuernError('model/import-not-found', `cannot find ${log.exporter}`, {
      origin: (id === undefined ? undefined : originOfSpecifier(log.exporter, id)) ?? origin,
      specifier: log.exporter,
    })
  return new QuernError('model/bundle', `a module of the model could not be loaded: ${said}`, { origin })
}

/** Where a module names what it imports: the specifier without its quotes. */
const originOfSpecifier = (specifier: string, importer: string): Span | undefined => {
  const lines = sourceOf(importer)?.split(/\r\n|\r|\n/) ?? []
  for (const [at, line] of lines.entries()) {
    const found = Math.max(line.indexOf(`'${specifier}'`), line.indexOf(`"${specifier}"`))
    if (found >= 0) return { file: importer, line: at + 1, column: found + 2, length: specifier.length }
  }
  return undefined
}

const packageMissing = (specifier: string, importer: string): QuernError =>
  new QuernError('model/import-not-found', `cannot find the package ${specifier}: is it installed?`, {
    specifier,
    origin: originOfSpecifier(specifier, importer),
  })

/** What bundlers of apps make something of, and a file that runs at build time cannot. */
const notCode =
  /\.(?:css|s[ac]ss|less|styl|svg|png|jpe?g|gif|webp|avif|ico|woff2?|ttf|html|vue|svelte|astro|wgsl|glsl)(?:\?.*)?$|\?(?:raw|url|inline|worker|sharedworker)\b/i

const importedNoCode = (specifier: string, importer: string): QuernError =>
  new QuernError(
    'model/import-not-code',
    `${specifier} is no code: a model file runs at build time and imports modules and JSON; import this in the app, or read the file with readFile(new URL('…', import.meta.url))`,
    { specifier, origin: originOfSpecifier(specifier, importer) },
  )
