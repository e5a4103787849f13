/** @file Compiles a model in process and loads it: the same model file, without a build. */
import type {
  ArtifactParts,
  DeviceKind,
  Entries,
  LoadOptions,
  LoadedModel,
  LoadedProgram,
  Model,
  Program,
  Specs,
} from '@quern/artifact'
import { type CompileOptions, compile } from '@quern/compiler'
import { $checkModelOptions, programOf } from '@quern/model'
import { checkLoadOptions, createModel, hasRelaxedSimd } from '@quern/runtime'

export interface JitOptions extends LoadOptions, Omit<CompileOptions, 'threads'> {
  /** Targets to compile for; default: what `device` asks for, else wasm and, where the realm has WebGPU, webgpu. */
  readonly targets?: readonly DeviceKind[]
}

const targetsFor = ({ targets, device = 'auto' }: JitOptions): readonly DeviceKind[] => {
  if (targets !== undefined) return targets
  if (device !== 'auto') return [device]
  return globalThis.navigator?.gpu === undefined ? ['wasm'] : ['wasm', 'webgpu']
}

const mayShareMemory = (): boolean =>
  typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false

/**
 * Compiles what `model()` or `program()` returned, and loads it.
 * @returns the same loaded model that the plugin's stub gives
 */
export function jit<I extends Specs, O extends Specs>(
  model: Model<I, O>,
  options?: JitOptions,
): Promise<LoadedModel<I, O>>
export function jit<E extends Entries>(program: Program<E>, options?: JitOptions): Promise<LoadedProgram<E>>
export async function jit(model: object, options: JitOptions = {}): Promise<unknown> {
  const { graph, kind, options: own } = programOf(model)
  const artifacts: ArtifactParts[] = []
  const {
    targets,
    numerics = own.numerics,
    maxMemory = own.maxMemory,
    relaxed,
    f16,
    limits,
    // Targets share what is computed at build.
    prepared = new Map(),
    verify,
    onStage,
    schedules,
    ...loading
  } = options
  // Before anything is compiled: a mistake should cost nobody a compilation.
  $checkModelOptions('jit', { targets, numerics, maxMemory })
  checkLoadOptions(loading)
  // What this engine can run is known already: one variant is enough.
  const fused = relaxed ?? (numerics !== 'exact' && numerics !== 'reproducible' && hasRelaxedSimd())
  const shared = {
    prepared,
    ...(numerics && { numerics }),
    ...(maxMemory && { maxMemory }),
    ...(fused && { relaxed: true }),
    ...(f16 && { f16 }),
    ...(verify && { verify }),
    ...(limits && { limits }),
    ...(schedules !== undefined && { schedules }),
    ...(onStage && { onStage }),
  }
  for (const target of targetsFor(options)) {
    const threads = target === 'wasm' && (options.threads ?? 1) > 1 && options.thread !== 'caller' && mayShareMemory()
    const { manifest, files } = await compile(graph, target, { ...shared, threads })
    const assets = Object.entries(files).map(([name, bytes]) => [name, () => Promise.resolve(bytes)] as const)
    artifacts.push({ manifest, assets: Object.fromEntries(assets) })
  }
  return createModel({ name: graph.name, kind, artifacts, webgpu: () => import('@quern/runtime/webgpu') }).load(loading)
}
