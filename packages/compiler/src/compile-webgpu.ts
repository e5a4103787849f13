/** @file The WebGPU back end of the pipeline: lowered program to artifact. */
import type { Artifact, Entry, Manifest } from '@quern/artifact'
import { emitWgsl } from '@quern/codegen-wgsl'
import type { ProgramGraph } from '@quern/core-ir'
import type { LoweringResult } from '@quern/loop-opt'
import { assetRef } from './asset.ts'
import { symbolBounds } from './manifest.ts'
import type { CompileOptions } from './options.ts'
import { constantReader } from './read-constant.ts'
import { placedData, weightsFile } from './weights-file.ts'

export const compileWebgpu = async (
  program: ProgramGraph,
  lowered: LoweringResult,
  options: CompileOptions,
): Promise<Artifact> => {
  const emitted = emitWgsl(lowered, {
    features: { f16: options.f16 ?? false, subgroups: false },
    states: program.states,
  })
  const { shaders, entries, states, weightsBytes, kernels, features } = emitted
  options.onStage?.('wgsl', shaders.map(s => s.code).join('\n\n'))
  const code = new TextEncoder().encode(JSON.stringify(shaders))
  const weights =
    weightsBytes === 0 ? undefined : await weightsFile(weightsBytes, placedData(emitted), constantReader(program))
  const codeFile = `${program.name}.wgsl.json`,
    weightsName = `${program.name}.gpu.weights`
  const manifest: Manifest = {
    format: 1,
    name: program.name,
    target: 'webgpu',
    variant: options.f16 === true ? 'f16' : 'plain',
    symbols: symbolBounds(program),
    entries: Object.fromEntries(
      Object.entries(entries).map(([name, { inputs, outputs, webgpu }]): [string, Entry] => [
        name,
        { inputs, outputs, predictedMs: lowered.predictedMs.get(name) ?? 0, webgpu },
      ]),
    ),
    states: states.map(s => ({
      name: s.name,
      dtype: s.dtype,
      shape: s.shape,
      at: s.at,
      ...(s.init !== undefined && { init: s.init }),
    })),
    code: await assetRef(codeFile, code),
    ...(weights !== undefined && { weights: await assetRef(weightsName, weights) }),
    features,
    kernels,
  }
  return { manifest, files: { [codeFile]: code, ...(weights !== undefined && { [weightsName]: weights }) } }
}
