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

/** Compiles a program for one target. Throws a coded error that names the user's line for what the model got wrong. */
export const compile = async (
  program: ProgramGraph,
  target: DeviceKind,
  options: CompileOptions = {},
): Promise<Artifact> => {
  if (target === 'webgpu' && options.numerics === 'reproducible')
    throw new QuernError(
      'numerics/reproducible-needs-wasm',
      "numerics 'reproducible' holds on wasm only: WGSL permits devices to contract and reorder; leave webgpu out of `targets`",
      { target },
    )
  verifyStates(program)
  const info = targetInfo(target, options)
  // Hardware-independent first: passes and regions see shapes and meaning, and of the target only its limits.
  const optimised = await optimiseProgram(program, info, options)
  // Then loops: schedules decide every order, tile and layout that code generation spells.
  const lowered = lower(optimised, info, options)
  // Last the spelling, and the bytes: constants are packed in the layouts that schedules asked for.
  const artifact = await backEnds[target](optimised, lowered, options)
  options.onStage?.(
    'sizes',
    Object.entries(artifact.files)
      .map(([name, f]) => `${name}: ${f.length} bytes`)
      .join('\n'),
  )
  return artifact
}
