/** @file The plugin for Rollup and Rolldown; imports no Vite. */
import { resolve } from 'node:path'
import type {
  HookContext,
  LoadedModule,
  OutputFiles,
  ResolveFileUrlArgs,
  ResolvedId,
  TransformedModule,
} from './bundler.ts'
import { createCore } from './core.ts'
import { modelFileId, resolvedHere } from './ids.ts'
import type { QuernOptions } from './options.ts'
import type { Platform } from './own-packages.ts'
import { namesWorker } from './runtime-worker.ts'

export type { QuernOptions } from './options.ts'

export interface QuernRollupOptions extends QuernOptions {
  /** Where the bundle runs, for a bundler that finds no packages by itself (Rollup without node-resolve). Default `browser`. */
  readonly platform?: Platform
}

/** A plugin as both bundlers take it. */
export interface QuernRollupPlugin {
  readonly name: string
  readonly resolveId: {
    readonly filter: { readonly id: RegExp }
    handler(this: HookContext, source: string, importer: string | undefined): Promise<ResolvedId | null>
  }
  readonly load: {
    readonly filter: { readonly id: RegExp }
    handler(this: HookContext, id: string): Promise<LoadedModule | null>
  }
  readonly transform: {
    readonly filter: { readonly code: RegExp }
    handler(this: HookContext, code: string, id: string): TransformedModule | null
  }
  watchChange(this: HookContext, id: string): void
  resolveFileUrl(args: ResolveFileUrlArgs): null
  readonly generateBundle: {
    readonly order: 'post'
    handler(this: HookContext, options: unknown, bundle: OutputFiles): void
  }
}

/**
 * Compiles imports of `*.model.ts`. Emitted files are found relative to the bundle (`import.meta.url`), in browsers and in Node.
 */
export default function quern(options: QuernRollupOptions = {}): QuernRollupPlugin {
  const core = createCore(options, {
    cacheDir: () => resolve('node_modules/.cache/quern'),
    platform: options.platform ?? 'browser',
    tell: message => console.error(message),
  })
  return {
    name: 'quern',
    resolveId: {
      filter: { id: resolvedHere },
      handler(source, importer) {
        return core.resolveId(this, source, importer)
      },
    },
    load: {
      filter: { id: modelFileId },
      handler(id) {
        return core.load(this, id, (_, emit) => emit(), '')
      },
    },
    transform: {
      filter: { code: namesWorker },
      handler(code, id) {
        return core.transformRuntime(this, code, id, '')
      },
    },
    watchChange(id) {
      core.models.changed(id)
    },
    resolveFileUrl(args) {
      core.rendered('', args)
      return null
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        core.dropUnused(this, '', bundle)
      },
    },
  }
}
