/** @file The hooks that every bundler shares: answers for model files and their programs, and the files they emit. */
import { fileURLToPath } from 'node:url'
import { createFilter } from '@rollup/pluginutils'
import { type EvaluateOptions, type EvaluatedProgram, createStandby, fileOf, noModel } from '@quern/evaluate'
import type {
  HookContext,
  LoadedModule,
  OutputFiles,
  ResolveFileUrlArgs,
  ReportedError,
  ResolvedId,
  TransformContext,
  TransformedModule,
} from './bundler.ts'
import { exportFailure, reportedError } from './failures.ts'
import { idOfProgram, modelFileId, splitId } from './ids.ts'
import { type ImportedName, importedNames, missingName } from './imported-names.ts'
import { createModels } from './models.ts'
import { type QuernOptions, checkOptions, compileSettings } from './options.ts'
import { type Platform, resolveOwn, runtimeFolder } from './own-packages.ts'
import { emitWorker } from './runtime-worker.ts'
import { modelModule, programModule } from './stub.ts'

/** A file of a compiled program, and where it lies on disk. */
export interface ProgramFile {
  readonly name: string
  /** What it is called among the files of a build. */
  readonly assetName: string
  readonly bytes: Uint8Array
  readonly path: string | undefined
}

/** Where a file of a program will be found, as an expression; `emit` makes it an asset of the build. */
export type PlaceFile = (file: ProgramFile, emit: () => string) => string

/** What the bundler at hand adds. */
export interface Host {
  cacheDir(): string
  /** For bundlers that find no packages by themselves. */
  readonly platform?: Platform
  /** Whether model files are going to be edited: then a thread is kept ready for the next evaluation. */
  readonly edits?: () => boolean
  /** Says a line in the terminal. */
  readonly tell: (message: string) => void
  /** Its aliases, for the imports of model files. */
  readonly resolve?: NonNullable<EvaluateOptions['resolve']>
}

export interface Core {
  readonly models: ReturnType<typeof createModels>
  /** `as` overrides the conditions by which the runtime is resolved. */
  resolveId(
    context: HookContext,
    source: string,
    importer: string | undefined,
    as?: Platform,
  ): Promise<ResolvedId | null>
  load(context: HookContext, id: string, place: PlaceFile, environment: string): Promise<LoadedModule | null>
  /** Refuses an import of what a model file does not export, now or when the file is loaded. */
  checkImports(context: TransformContext, code: string, id: string, environment: string): Promise<void>
  /** Gives a bundle the runtime's worker as a chunk, where the bundler does not find it by itself. */
  transformRuntime(context: HookContext, code: string, id: string, environment: string): TransformedModule | null
  /** To be called for every rendered reference: an asset without one is dropped by {@link dropUnused}. */
  rendered(environment: string, args: ResolveFileUrlArgs): boolean
  /** Removes assets of programs that tree shaking removed. */
  dropUnused(context: HookContext, environment: string, bundle: OutputFiles): void
}

const ownFile = fileURLToPath(import.meta.url)
const runtime = '@quern/runtime'

export const createCore = (options: QuernOptions, { cacheDir, platform, edits, tell, resolve }: Host): Core => {
  checkOptions(options)
  const filter = createFilter(options.include ?? modelFileId, options.exclude)
  const runtimeStandIn = options.standIns?.[runtime]
  const standby = createStandby()
  const models = createModels(
    () => ({
      compile: compileSettings(options),
      cacheDir: typeof options.cache === 'string' ? options.cache : cacheDir(),
      ...(resolve === undefined ? {} : { resolve }),
      ...(edits?.() === true && options.standIns === undefined ? { standby } : {}),
      ...(options.cache === false ? { renew: true } : {}),
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
      ...(options.standIns === undefined ? {} : { standIns: options.standIns }),
    }),
    tell,
  )
  /** By environment and reference: whether a chunk holds the reference. */
  const emitted = new Map<string, Map<string, { used: boolean }>>()
  const workers = new Map<string, Set<string>>()
  const told = new Set<string>()
  /** By environment and importer. */
  const imported = new Map<string, readonly ImportedName[]>()

  const emittedIn = (environment: string) => {
    const found = emitted.get(environment) ?? new Map<string, { used: boolean }>()
    emitted.set(environment, found)
    return found
  }

  const workersIn = (environment: string): Set<string> => {
    const found = workers.get(environment) ?? new Set<string>()
    workers.set(environment, found)
    return found
  }

  /** The bundler's own way, by the conditions it was given; else ours. */
  const resolveRuntime = async (
    context: HookContext,
    source: string,
    importer: string,
    as: Platform | undefined,
  ): Promise<ResolvedId | null> => {
    const found = as === undefined ? await context.resolve(source, importer, { skipSelf: true }) : null
    const by = as ?? platform
    if (by === undefined || (found && !found.external)) return found
    const id = resolveOwn(source, importer, by)
    return id === undefined ? found : { id }
  }

  const isModelFile = (file: string): boolean => modelFileId.test(file) && filter(file)

  const tellRefusals = (context: HookContext, { name, refused }: EvaluatedProgram): void => {
    for (const { target, failure } of refused) {
      const said = `${name} is not compiled for ${target}: [${failure.code}] ${failure.message}`
      if (!told.has(said)) context.warn(said)
      told.add(said)
    }
  }

  return {
    models,

    resolveId: async (context, source, importer, as) => {
      const { file, exportName } = splitId(source)
      if (exportName !== undefined) {
        const found = await context.resolve(file, importer, { skipSelf: true })
        return found && !found.external ? { id: idOfProgram(found.id, exportName) } : null
      }
      // The app need not depend on the runtime: it is the plugin that put the import there.
      const ours = source === runtime || source.startsWith(`${runtime}/`)
      if (ours && importer !== undefined && splitId(importer).exportName !== undefined)
        return runtimeStandIn === undefined
          ? resolveRuntime(context, source, ownFile, as)
          : { id: fileURLToPath(runtimeStandIn) }
      if (importer !== undefined && importer.startsWith(runtimeFolder()))
        return resolveRuntime(context, source, importer, as)
      return null
    },

    load: async (context, id, place, environment) => {
      const { file, exportName } = splitId(id)
      if (!isModelFile(file)) return null
      // Watched before the file has run: a save must reach a file that never ends.
      for (const path of await models.reads(file)) context.addWatchFile(path)
      const evaluation = await models.get(file)
      for (const path of evaluation.dependencies) context.addWatchFile(path)
      const refuse = (wrong: ReportedError | undefined): void => {
        if (wrong === undefined) return
        models.refuse(file)
        context.error(wrong)
      }
      if (evaluation.error !== undefined) refuse(reportedError(file, evaluation.error))
      refuse(exportFailure(file, evaluation))
      const none = noModel(evaluation)
      if (none !== undefined) refuse(reportedError(file, none))
      if (exportName === undefined) {
        refuse(
          missingName(
            evaluation,
            [...imported.values()].flat().filter(i => i.modelFile === file),
          ),
        )
        for (const { code, message, frame } of evaluation.unexported) context.warn(`[${code}] ${message}\n${frame}`)
      }
      const answer = (code: string): LoadedModule => ({
        code,
        map: { mappings: '' },
        moduleSideEffects: false,
        moduleType: 'js',
      })
      if (exportName === undefined) return answer(modelModule(file, evaluation))
      const index = evaluation.programs.findIndex(p => p.exportName === exportName)
      const program = evaluation.programs[index]
      if (program === undefined) return null
      tellRefusals(context, program)
      return answer(
        programModule(program, (artifact, name, bytes) => {
          const path = evaluation.folder && fileOf(evaluation.folder, index, artifact, name)
          const own = assetName(program.name, variantName(program, artifact, name))
          const emit = (): string => {
            const reference = context.emitFile({ type: 'asset', name: own, source: bytes })
            emittedIn(environment).set(reference, { used: false })
            return `import.meta.ROLLUP_FILE_URL_${reference}`
          }
          return place({ name, assetName: own, bytes, path }, emit)
        }),
      )
    },

    checkImports: async (context, code, id, environment) => {
      const resolve = async (source: string): Promise<string | undefined> => {
        const file = /\?/.test(source) ? undefined : (await context.resolve(source, id))?.id
        return file !== undefined && isModelFile(file) ? file : undefined
      }
      const map = (): string => JSON.stringify(context.getCombinedSourcemap())
      const names = await importedNames(splitId(id).file, code, context.parse(code), map, resolve)
      imported.set(`${environment} ${id}`, names)
      // A file that was loaded before is not loaded again: then it is the importer that changed.
      for (const { modelFile } of names) {
        const evaluation = models.done(modelFile)
        if (evaluation === undefined || evaluation.error !== undefined || evaluation.programs.length === 0) continue
        const wrong = missingName(
          evaluation,
          names.filter(n => n.modelFile === modelFile),
        )
        if (wrong !== undefined) context.error(wrong)
      }
    },

    transformRuntime: (context, code, id, environment) => {
      if (!id.startsWith(runtimeFolder())) return null
      const changed = emitWorker(context, code, id, reference => workersIn(environment).add(reference))
      return changed === null ? null : { code: changed, map: null }
    },

    rendered: (environment, { referenceId }) => {
      if (referenceId === null) return false
      const asset = emittedIn(environment).get(referenceId)
      if (asset !== undefined) asset.used = true
      return asset !== undefined || workersIn(environment).has(referenceId)
    },

    dropUnused: (context, environment, bundle) => {
      const assets = [...emittedIn(environment)].map(([reference, asset]) => ({
        used: asset.used,
        fileName: context.getFileName(reference),
      }))
      // Equal files of two programs are one file, which stays where either is used.
      const used = new Set(assets.filter(a => a.used).map(a => a.fileName))
      for (const { fileName } of assets)
        if (!used.has(fileName)) delete (bundle as Record<string, OutputFiles[string]>)[fileName]
    },
  }
}

/** The code of several variants has one name in each of them: in a list of assets it says which is which. */
const variantName = ({ artifacts }: EvaluatedProgram, index: number, file: string): string => {
  const code = artifacts[index]?.manifest
  const alike = artifacts.filter(a => a.manifest.code.file === file)
  if (code === undefined || code.code.file !== file || alike.length < 2) return file
  return file.replace(/(?=\.\w+$)/, `.${code.variant}`)
}

/** Names of models are the user's: what goes into a file name is a part of them that is safe everywhere. */
const assetName = (program: string, file: string): string => {
  const safe = (text: string): string => text.replace(/[^\w.-]+/g, '_').replace(/^[._]+/, '')
  const [name, base] = [safe(program), safe(file)]
  return base.startsWith(name) ? base : `${name}-${base}`
}
