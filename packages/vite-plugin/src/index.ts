/** @file The plugin for Vite: `.model.ts` imports become compiled models, in dev, build, preview, SSR and Vitest. */
import { pathToFileURL } from 'node:url'
import { type Environment, type Plugin, type ResolvedConfig, searchForWorkspaceRoot } from 'vite'
import { aliased } from './aliases.ts'
import { type PlaceFile, createCore } from './core.ts'
import { createFileServer } from './dev-files.ts'
import { modelFileId, namesModelFile, resolvedHere } from './ids.ts'
import { inlined } from './inline.ts'
import { isolationHeaders, tellIsolation } from './isolation.ts'
import { runtimeFolder } from './own-packages.ts'
import { namesWorker } from './runtime-worker.ts'
import { findUncompiled } from './uncompiled.ts'
import { type ServerFiles, createServerFiles } from './server-files.ts'
import type { QuernOptions as SharedOptions } from './options.ts'

export interface QuernOptions extends SharedOptions {
  /**
   * Sends the headers that isolate a page in dev and preview, which threads need. Off by default: they break sign-in popups
   * and embedded frames, and production needs the same headers from its host.
   */
  readonly crossOriginIsolation?: boolean
}

/** Where an environment's code finds files: a server that Vite runs, a server's output folder, or over the network. */
type Reader = 'url' | 'file'

const readerOf = (environment: Environment): Reader => {
  const { consumer, resolve } = environment.config
  // Vitest runs the client environment (jsdom and the like) in Node, unless a browser is asked for.
  const test = (environment.getTopLevelConfig() as { test?: { browser?: { enabled?: boolean } } }).test
  if (consumer === 'client')
    return process.env['VITEST'] && test !== undefined && !test.browser?.enabled ? 'file' : 'url'
  return environment.getTopLevelConfig().ssr.target === 'webworker' || resolve.conditions.includes('workerd')
    ? 'url'
    : 'file'
}

export default function quern(options: QuernOptions = {}): Plugin[] {
  const headers = options.crossOriginIsolation === true ? isolationHeaders : undefined
  let config: ResolvedConfig | undefined
  const core = createCore(options, {
    cacheDir: () => `${config?.cacheDir ?? 'node_modules/.vite'}/quern`,
    tell: message => config?.logger.info(message, { timestamp: true }),
    // Vitest starts a server too, and edits nothing.
    edits: () => config?.command === 'serve' && process.env['VITEST'] === undefined,
    resolve: specifier => aliased(specifier, config?.resolve.alias ?? []),
  })
  const files = createFileServer()
  const tell = tellIsolation()

  /** By environment: several may be built at once. */
  const servers = new Map<string, ServerFiles>()
  const serverFilesIn = ({ name }: Environment): ServerFiles => {
    const found = servers.get(name) ?? createServerFiles()
    servers.set(name, found)
    return found
  }

  const placeIn = (environment: Environment): PlaceFile => {
    const { command, build, server } = environment.config
    const reader = readerOf(environment)
    if (command === 'build')
      return reader === 'file'
        ? file => serverFilesIn(environment).place(file, build.assetsDir)
        : (file, emit) => {
            const data = inlined(file, build)
            return data === undefined ? emit() : JSON.stringify(data)
          }
    return ({ path, name }) => {
      if (path === undefined) throw new Error(`${name} is not on disk`)
      return JSON.stringify(
        reader === 'file'
          ? pathToFileURL(path).href
          : files.urlOf(path, (server.origin ?? '') + environment.config.base),
      )
    }
  }

  /** After whatever makes JavaScript of a module, since only that can be parsed. */
  const imports: Plugin = {
    name: 'quern:imports',
    enforce: 'post',
    sharedDuringBuild: true,
    transform: {
      filter: { code: namesModelFile },
      async handler(code, id) {
        if (id.includes('/node_modules/') || modelFileId.test(id)) return null
        await core.checkImports(this, code, id, this.environment.name)
        return null
      },
    },
  }

  const plugin: Plugin = {
    name: 'quern',
    enforce: 'pre',
    // One compilation serves every environment of a build.
    sharedDuringBuild: true,

    config: user => ({
      // These hold workers and conditions of their own, which a pre-bundled copy would lose.
      optimizeDeps: { exclude: ['@quern/model', '@quern/onnx', '@quern/runtime', '@quern/jit'] },
      server: {
        ...(headers && { headers }),
        fs: {
          allow: [
            ...(user.server?.fs?.allow ? [] : [searchForWorkspaceRoot(user.root ?? process.cwd())]),
            runtimeFolder(),
          ],
        },
      },
      ...(headers && { preview: { headers } }),
    }),

    configResolved(resolved) {
      config = resolved
    },

    configureServer(server) {
      server.middlewares.use(files.middleware)
      // A server that closes waits for its requests, and they for the evaluation.
      server.httpServer?.once('close', () => core.models.close())
    },

    resolveId: {
      filter: { id: resolvedHere },
      handler(source, importer) {
        const { environment } = this
        // The client environment that Vitest runs in Node has a browser's conditions.
        const inNode = environment.config.consumer === 'client' && readerOf(environment) === 'file'
        return core.resolveId(this, source, importer, inNode ? 'node' : undefined)
      },
    },

    load: {
      filter: { id: modelFileId },
      async handler(id) {
        const loaded = await core.load(this, id, placeIn(this.environment), this.environment.name)
        if (loaded !== null && config?.command === 'serve' && headers === undefined)
          tell(await core.models.get(id.replace(/\?.*$/, '')), message =>
            config?.logger.info(message, { timestamp: true }),
          )
        return loaded
      },
    },

    transform: {
      filter: { code: namesWorker },
      handler(code, id) {
        const server = config?.command === 'build' && readerOf(this.environment) === 'file'
        return server ? core.transformRuntime(this, code, id, this.environment.name) : null
      },
    },

    watchChange(id) {
      core.models.changed(id)
    },

    /** What a change reaches through a model file, which Vite's module graph may not know: nothing of a failed module is in it. */
    hotUpdate({ file, modules }) {
      const concerned = core.models.dependents(file)
      const { hot, moduleGraph, name } = this.environment
      const added = concerned.flatMap(({ file: model }) => [...(moduleGraph.getModulesByFile(model) ?? [])])
      if (added.length === 0) return undefined
      const all = [...new Set([...modules, ...added])]
      // Vite takes a module that never loaded for one that no page waits for, and would leave the overlay where it is.
      if (name === 'client' && concerned.some(c => c.failed)) {
        for (const module of all) moduleGraph.invalidateModule(module)
        hot.send({ type: 'full-reload' })
        return []
      }
      return all
    },

    resolveFileUrl(args) {
      const ours = core.rendered(this.environment.name, args)
      if (!ours || readerOf(this.environment) === 'url') return null
      // A server reads its files beside its own code, whatever `base` says.
      const path = JSON.stringify(args.relativePath)
      return args.format === 'cjs'
        ? `require('node:url').pathToFileURL(require('node:path').join(__dirname, ${path})).href`
        : `new URL(${path}, import.meta.url).href`
    },

    renderChunk(code, { fileName }, { format }) {
      const changed = serverFilesIn(this.environment).rendered(code, fileName, format)
      return changed === null ? null : { code: changed, map: null }
    },

    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        core.dropUnused(this, this.environment.name, bundle)
        serverFilesIn(this.environment).emit(this)
        const uncompiled = findUncompiled(bundle)
        if (uncompiled !== undefined) this.error(uncompiled)
      },
    },
  }
  return [plugin, imports]
}
