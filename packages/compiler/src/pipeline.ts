/**
 * @file The pipeline: the one page that knows the order. Pure: a program in, artifacts out.
 *
 * Two of its lines have pages of their own, with a reason at each step: graph passes in graph-opt/src/optimise.ts, and
 * everything from regions to plans in loop-opt/src/lower-program.ts.
 */
import { type Artifact, type DeviceKind, QuernError } from '@quern/artifact'
import { type ProgramGraph, didYouMean, verifyStates } from '@quern/core-ir'
import { lowerVariants, parseSchedules, regionLimits } from '@quern/loop-opt'
import { artifactOf } from './artifact.ts'
import type { BackEnd } from './back-end.ts'
import { wasmBackEnd } from './emit-wasm.ts'
import { webgpuBackEnd } from './emit-webgpu.ts'
import { graphStages } from './graph-stages.ts'
import { legalKernels, showLoops } from './loop-stages.ts'
import { type CompileOptions, numericsOf } from './options.ts'
import { asDefect } from './own-defect.ts'
import { constantReader } from './read-constant.ts'
import { refuseMemory } from './refuse-memory.ts'
import { weightsPacker } from './weights-file.ts'

const backEnds = { wasm: wasmBackEnd, webgpu: webgpuBackEnd } satisfies Record<DeviceKind, BackEnd>

/** What the variants of one target may differ in. */
export type CompileVariant = Pick<CompileOptions, 'threads' | 'relaxed' | 'f16' | 'onStage'>

/** Compiles a program for one target. Throws a coded error that names the user's line for what the model got wrong. */
export const compile = async (
  program: ProgramGraph,
  target: DeviceKind,
  options: CompileOptions = {},
): Promise<Artifact> => {
  const [artifact] = await compileVariants(program, target, [options], options)
  if (artifact === undefined) throw new Error('one variant gives one artifact')
  return artifact
}

/** Compiles variants of a program for one target, in their order; what they have in common is done once. */
export const compileVariants: typeof pipeline = async (program, target, wanted, options) => {
  // Refusals first: what can never work should cost nobody a compilation.
  refuseUnknown(target)
  refuseNumerics(target, options)
  verifyStates(program)
  try {
    return await pipeline(program, target, wanted, options)
  } catch (error) {
    throw asDefect(error)
  }
}

const pipeline = async (
  program: ProgramGraph,
  target: DeviceKind,
  wanted: readonly CompileVariant[],
  options: Omit<CompileOptions, keyof CompileVariant> = {},
): Promise<readonly Artifact[]> => {
  const backEnd = backEnds[target]
  const variants = wanted.map(v => ({ ...options, ...v }))
  const infos = variants.map(v => backEnd.info(v))
  const [limits] = infos
  if (limits === undefined) return []
  const listeners = wanted.flatMap(v => v.onStage ?? [])
  const onStage = (name: string, text: string): void => listeners.forEach(listener => listener(name, text))

  // What emits loads on other threads while the graph is worked on.
  const emit = backEnd.emitter()

  const graphs = graphStages(program, { ...options, ...(listeners.length > 0 && { onStage }) })
  // Graph passes see shapes and meaning, nothing of the target: so all targets start from the same graph. The last of them
  // splits off constants that are computed at build: a program of its own, compiled and run when the weights are packed.
  const optimised = await graphs.optimise()
  // Regions decide what becomes one kernel. Of the target they know its limits, which all its variants share.
  // Where what regions hand to each other lies is chosen over the whole network, by what its kernels take in each layout.
  const regions = await graphs.formRegions(optimised, { ...regionLimits(limits), layouts: limits.layouts })

  // Lowering makes loop nests of regions, and plans that say where what they compute lies; schedules decide every order and
  // tile, and the layouts in which kernels want their constants. One call, since variants share most of it.
  const lowered = lowerVariants(regions, infos, {
    numerics: numericsOf(options),
    rows: graphs.rows(optimised),
    ...(options.schedules !== undefined && { schedules: parseSchedules(options.schedules) }),
  })
  // Sizes are known now, and code for what fits nowhere would only cost time.
  for (const result of lowered.slice(0, 1)) refuseMemory(target, program, result, options)
  // Legal kernels hold nothing that a generator would have to decide: no unrolled axis, no function that targets lack.
  const legal = legalKernels(lowered, infos, numericsOf(options))

  const artifacts: Artifact[] = []
  const pack = weightsPacker(constantReader(regions))
  for (const [i, variant] of variants.entries()) {
    const [before, ready, info] = [lowered[i], legal[i], infos[i]]
    if (before === undefined || ready === undefined || info === undefined)
      throw new Error('one variant is lowered once')
    showLoops(before, ready, info, variant)
    // Code only spells, and says where each constant lies.
    const code = await emit(ready, regions, variant)
    // Packing comes last: bytes are read once, in pieces, straight into the layouts and places that everything above settled.
    artifacts.push(await artifactOf(code, ready, regions, pack, variant))
  }
  return artifacts
}

const refuseUnknown = (target: string): void => {
  const known = Object.keys(backEnds)
  if (!known.includes(target))
    throw new QuernError('target/unknown', `there is no target ${target}: ${didYouMean(target, known)}`, {
      target,
      known,
    })
}

const refuseNumerics = (target: DeviceKind, { numerics }: Pick<CompileOptions, 'numerics'> = {}): void => {
  if (target === 'webgpu' && numerics === 'reproducible')
    throw new QuernError(
      'numerics/reproducible-needs-wasm',
      "numerics 'reproducible' holds on wasm only: WGSL permits devices to contract and reorder; leave webgpu out of `targets`",
      { target },
    )
}
