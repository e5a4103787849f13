/** @file The thread in which a model file runs: imports the bundle, compiles its programs, posts plain data back. */
import { parentPort, workerData } from 'node:worker_threads'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Artifact, type DeviceKind, QuernError, isQuernError } from '@quern/artifact'
import type { CompileVariant, PreparedCache } from '@quern/compiler'
import type { ProgramGraph } from '@quern/core-ir'
import { didYouMean, nearest } from '@quern/core-ir'
import type { Made } from '@quern/model/instrumented'
import { whyNotData } from './data.ts'
import { failureOf } from './failure.ts'
import { ownPackages } from './packages.ts'
import type { WorkerMessage, WorkerReply, WorkerRequest, WorkerStart } from './thread.ts'
import type { CompileSettings, Data, EvaluatedProgram, Failure, NotData, StageText } from './types.ts'
import { readSwitches, stageListener } from './switches.ts'
import { optimisedLate } from './tier-up.ts'

/** Nothing of the caller's waits in vain for what fails to load here: the request's own import fails again, and says why. */
if ((workerData as WorkerStart).preload)
  for (const name of [ownPackages.model, ownPackages.compiler]) import(name).catch(() => {})

const request = await new Promise<WorkerRequest>(start => parentPort?.once('message', start))

const transferables = (programs: readonly EvaluatedProgram[]): ArrayBuffer[] => {
  const buffers = new Set<ArrayBuffer>()
  for (const { artifacts } of programs)
    for (const { files } of artifacts)
      for (const bytes of Object.values(files))
        if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength)
          buffers.add(bytes.buffer)
  return [...buffers]
}

const send = (message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void => {
  if (parentPort === null) throw new Error('the evaluation worker runs in a worker thread only')
  parentPort.postMessage(message, transfer)
}
const post = (reply: WorkerReply): void => send({ reply }, reply.ok ? transferables(reply.programs) : [])

const baseName = (file: string): string => (file.split(/[\\/]/).at(-1) ?? file).replace(/(\.model)?\.[cm]?[jt]s$/, '')

const evaluate = async (): Promise<WorkerReply> => {
  const model: typeof import('@quern/model') = await import(request.own.model)
  const compiler: typeof import('@quern/compiler') = await import(request.own.compiler)
  // So that stacks name the user's lines. On before the bundle is loaded, and after the compiler, whose maps nobody reads.
  process.setSourceMapsEnabled(true)
  const { collectMade }: typeof import('@quern/model/instrumented') = await import(request.own.instrumented)
  const made: Made[] = []
  const module: Readonly<Record<string, unknown>> = await collectMade(made, () =>
    import(request.bundle).catch(asMissingName),
  )
  const exports = new Map<string, Data>()
  const notData: NotData[] = []
  const programs: EvaluatedProgram[] = []
  const read = new Set<string>()
  const switches = readSwitches()
  /** A model may have several names; it is compiled once. */
  const compiled = new Map<unknown, EvaluatedProgram>()

  for (const [exportName, value] of Object.entries(module)) {
    if (!model.isModel(value)) {
      const why = whyNotData(value)
      if (why === undefined) exports.set(exportName, value as Data)
      else {
        const at = request.exports[exportName]
        notData.push({ exportName, is: why, ...(at === undefined ? {} : { at }) })
      }
      continue
    }
    const same = compiled.get(value)
    if (same !== undefined) {
      programs.push({ ...same, exportName })
      continue
    }
    const { graph: traced, kind, options } = model.programOf(value)
    const file = baseName(request.file)
    const name = options.name ?? (exportName === 'default' ? file : `${file}.${exportName}`)
    const graph = { ...traced, name }
    for (const source of graph.sources.values())
      if (source.name.startsWith('file:')) read.add(fileURLToPath(source.name))
    const settings: CompileSettings = { ...request.compile, ...withoutUndefined(options) }
    const artifacts: Artifact[] = []
    const refused: { target: DeviceKind; failure: Failure }[] = []
    const stages: StageText[] = []
    /** Targets share the constants that are computed at build. */
    const prepared: PreparedCache = new Map()
    const targets = (request.overrideTargets ? request.compile.targets : settings.targets) ?? ['wasm', 'webgpu']
    for (const target of targets) {
      send({ phase: { doing: 'compiling', program: name, target } })
      try {
        const { numerics, maxMemory, fusions, showAt } = settings
        const ownText = (texts: Readonly<Record<string, string>> = {}): string | undefined =>
          Object.hasOwn(texts, exportName) ? texts[exportName] : undefined
        const [schedules, layouts] = [ownText(settings.schedules), ownText(settings.layouts)]
        const wanted = variantsOf(target, graph, numerics).map((v): CompileVariant => {
          const variant = nameOfVariant(target, v)
          const show = stageListener(switches, name, `${target}-${variant}`)
          if (!request.stages && show === undefined) return v
          const onStage = (stage: string, text: string): void => {
            show?.(stage, text)
            if (request.stages) stages.push({ target, variant, stage, text })
          }
          return { ...v, onStage }
        })
        const compiledVariants = await optimisedLate(() =>
          compiler.compileVariants(graph, target, wanted, {
            prepared,
            ...(numerics === undefined ? {} : { numerics }),
            ...(maxMemory === undefined ? {} : { maxMemory }),
            ...(showAt === undefined ? {} : { showAt }),
            ...(schedules === undefined ? {} : { schedules }),
            ...(fusions === undefined ? {} : { fusions }),
            ...(layouts === undefined ? {} : { layouts }),
            ...(switches.verify && { verify: true }),
          }),
        )
        for (const artifact of compiledVariants) checkSize(artifact, name, settings.maxBytes)
        artifacts.push(...worthShipping(wanted, compiledVariants))
      } catch (error) {
        // Where several targets were asked for, one that cannot run this program is a reported choice; a mistake never is.
        if (!isQuernError(error) || !error.code.startsWith(`${target}/`) || targets.length === 1) throw error
        refused.push({ target, failure: failureOf(error, { files: request.files }) })
      }
    }
    const [first] = refused
    if (artifacts.length === 0 && first !== undefined)
      throw new QuernError(
        first.failure.code,
        `no target can run ${name}: ${first.failure.message}`,
        first.failure.details,
      )
    const program = { exportName, name, kind, artifacts, refused, stages }
    compiled.set(value, program)
    programs.push(program)
  }
  const unexported = made.flatMap(m =>
    m.origin?.file === request.file && !compiled.has(m.model) ? [failureOf(notExported(request.file, m))] : [],
  )
  return { ok: true, programs, exports: Object.fromEntries(exports), notData, unexported, read: [...read] }
}

const notExported = (file: string, { origin }: Made): QuernError => {
  const { name } = origin ?? {}
  return new QuernError(
    'model/not-exported',
    `${basename(file)} makes ${name === undefined ? 'a model' : `the model ${name}`} and does not export it, so no app can import it: write \`export default ${name ?? 'model(…)'}\`${name === undefined ? '' : ` or \`export const ${name} = …\``}`,
    { origin },
  )
}

/** Linking fails before anything runs, and names neither the line nor what was meant. */
const asMissingName = async (error: unknown): Promise<never> => {
  if (error instanceof SyntaxError)
    for (const { url, from, name, span } of request.imports.filter(i => error.message.includes(`'${i.name}'`))) {
      const module = (await import(url)) as { readonly nn?: object }
      const there = Object.keys(module).filter(key => !key.startsWith('$'))
      const layers = Object.keys(module.nn ?? {})
      const layer = nearest(name, [...there, ...layers])
      const advice =
        layer !== undefined && !there.includes(layer)
          ? `did you mean nn.${layer}? Import nn for it`
          : didYouMean(name, there)
      if (!(name in module))
        throw new QuernError('model/no-such-export', `${from} has no export ${name}: ${advice}`, {
          origin: span,
          from,
          name,
        })
    }
  throw error
}

const withoutUndefined = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>

/** What is compiled for each target, from plain to special: the runtime loads the last one that the browser can run. */
const variantsOf = (
  target: DeviceKind,
  graph: ProgramGraph,
  numerics: CompileSettings['numerics'],
): readonly CompileVariant[] => {
  if (target === 'webgpu') return [{}, ...(usesF16(graph) ? [{ f16: true }] : [])]
  // A fused multiply-add rounds once where two operations round twice.
  const relaxed = numerics !== 'exact' && numerics !== 'reproducible'
  return [{}, { threads: true }, ...(relaxed ? [{ relaxed: true }, { relaxed: true, threads: true }] : [])]
}

/** As the manifests name them. */
const nameOfVariant = (target: DeviceKind, { threads, relaxed, f16 }: CompileVariant): string =>
  target === 'webgpu'
    ? f16 === true
      ? 'f16'
      : 'plain'
    : ['simd', ...(relaxed === true ? ['relaxed'] : []), ...(threads === true ? ['threads'] : [])].join('-')

const usesF16 = ({ entries }: ProgramGraph): boolean =>
  [...entries.values()].some(g => g.nodes.some(n => [...n.results, ...n.operands].some(v => v?.type.dtype === 'f16')))

const codeOf = ({ manifest, files }: Artifact): Uint8Array | undefined => files[manifest.code.file]

/** Variants that differ from an earlier one in what they offer. */
const worthShipping = (wanted: readonly CompileVariant[], artifacts: readonly Artifact[]): readonly Artifact[] =>
  artifacts.filter((artifact, i) => {
    // Threads that share no work would only take a memory of their own.
    const shares = Object.values(artifact.manifest.entries).some(e => e.wasm?.parallel === true)
    if (wanted[i]?.threads === true && !shares) return false
    const code = codeOf(artifact)
    return !artifacts.slice(0, i).some(earlier => {
      const before = codeOf(earlier)
      return code?.length === before?.length && code?.every((byte, at) => byte === before?.[at]) === true
    })
  })

const checkSize = ({ manifest, files }: Artifact, name: string, maxBytes: number | undefined): void => {
  const sizes = Object.entries(files).map(([file, { byteLength }]) => ({ file, bytes: byteLength }))
  const bytes = sizes.reduce((sum, file) => sum + file.bytes, 0)
  if (maxBytes === undefined || bytes <= maxBytes) return
  const each = sizes
    .sort((a, b) => b.bytes - a.bytes)
    .map(f => `${f.file}: ${f.bytes.toLocaleString('en')}`)
    .join(', ')
  throw new QuernError(
    'model/too-large',
    `${name} has ${bytes.toLocaleString('en')} bytes on ${manifest.target} (${each}), more than its budget maxBytes, ${maxBytes.toLocaleString('en')}: raise it, or make the model smaller`,
    { bytes, maxBytes, target: manifest.target, files: sizes },
  )
}

try {
  post(await evaluate())
} catch (error) {
  const instrumented: typeof import('@quern/model/instrumented') = await import(request.own.instrumented)
  const failure = failureOf(error, { files: request.files, thrownAt: instrumented.thrownAt(error) })
  post({ ok: false, failure, read: [] })
}
