/** @file The plugin for Rollup and Rolldown; imports no Vite. */
import { resolve } from 'node:path'
import type { HookContext, LoadedModule, OutputFiles, ResolveFileUrlArgs, ResolvedId } from './bundler.ts'
import { createCore } from './core.ts'
import { modelFileId } from './ids.ts'
import type { QuernOptions } from './options.ts'

export type { QuernOptions } from './options.ts'

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
export default function quern(options: QuernOptions = {}): QuernRollupPlugin {
  const core = createCore(options, () => resolve('node_modules/.cache/quern'))
  return {
    name: 'quern',
    resolveId: {
      filter: { id: /\?quern-export=|^@quern\/runtime$/ },
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
