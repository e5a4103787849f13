/** @file The pipeline: the one function that knows the order. Pure: a program in, an artifact out. */
import { type Artifact, type DeviceKind, QuernError } from '@quern/artifact'
import { type ProgramGraph, verifyStates } from '@quern/core-ir'
import { type TargetInfo, wasmTarget, webgpuTarget } from '@quern/loop-opt'
import { compileWasm } from './compile-wasm.ts'
import { compileWebgpu } from './compile-webgpu.ts'
import { lower } from './lower.ts'
import { optimiseProgram } from './optimise-program.ts'
import type { CompileOptions } from './options.ts'

const backEnds = { wasm: compileWasm, webgpu: compileWebgpu } satisfies Record<DeviceKind, typeof compileWasm>

const targetInfo = (target: DeviceKind, options: CompileOptions): TargetInfo => {
  switch (target) {
    case 'wasm':
      return wasmTarget({ relaxedSimd: options.relaxed ?? false, threads: options.threads === true ? 16 : 1 })
    case 'webgpu':
      return webgpuTarget({ f16: options.f16 ?? false })
  }
}

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
export const compileVariants = async (
  program: ProgramGraph,
  target: DeviceKind,
  variants: readonly CompileVariant[],
  options: Pick<CompileOptions, 'numerics' | 'verify'> = {},
): Promise<readonly Artifact[]> => {
  const [first] = variants
  if (first === undefined) return []
  if (target === 'webgpu' && options.numerics === 'reproducible')
    throw new QuernError(
      'numerics/reproducible-needs-wasm',
      "numerics 'reproducible' holds on wasm only: WGSL permits devices to contract and reorder; leave webgpu out of `targets`",
      { target },
    )
  verifyStates(program)
  const listeners = variants.flatMap(v => v.onStage ?? [])
  const onStage = (name: string, text: string): void => listeners.forEach(listener => listener(name, text))
  // Hardware-independent first: passes and regions see shapes and meaning, and of the target only its limits.
  const optimised = await optimiseProgram(program, targetInfo(target, first), {
    ...options,
    ...(listeners.length > 0 && { onStage }),
  })
  // Then loops: schedules decide every order, tile and layout that code generation spells.
  const lowered = lower(
    optimised,
    variants.map(v => ({ info: targetInfo(target, v), onStage: v.onStage })),
    options,
  )
  // Last the spelling, and the bytes: constants are packed in the layouts that schedules asked for.
  const artifacts: Artifact[] = []
  for (const [i, result] of lowered.entries()) {
    const variant = { ...options, ...variants[i] }
    const artifact = await backEnds[target](optimised, result, variant)
    variant.onStage?.(
      'sizes',
      Object.entries(artifact.files)
        .map(([name, f]) => `${name}: ${f.length} bytes`)
        .join('\n'),
    )
    artifacts.push(artifact)
  }
  return artifacts
}
