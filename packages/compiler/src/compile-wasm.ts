/** @file The wasm back end of the pipeline: lowered program to artifact. */
import type { Artifact, Entry, Manifest } from '@quern/artifact'
import { assemble, emitWasm } from '@quern/codegen-wasm'
import type { ProgramGraph } from '@quern/core-ir'
import type { LoweringResult } from '@quern/loop-opt'
import { assetRef } from './asset.ts'
import { symbolBounds } from './manifest.ts'
import type { CompileOptions } from './options.ts'
import { constantReader } from './read-constant.ts'
import { placedData, weightsFile } from './weights-file.ts'

export const compileWasm = async (
  program: ProgramGraph,
  lowered: LoweringResult,
  options: CompileOptions,
): Promise<Artifact> => {
  const threads = options.threads ?? false,
    relaxed = options.relaxed ?? false
  const { wat, layout, entries, constants, states, weightsBytes, kernels } = emitWasm(lowered, {
    threads,
    relaxed,
    states: program.states,
  })
  options.onStage?.('wat', wat)
  const code = await assemble(wat, { threads, relaxed })
  const weights =
    weightsBytes === 0
      ? undefined
      : await weightsFile(weightsBytes, placedData({ constants, states }), constantReader(program))
  const codeFile = `${program.name}.wasm`,
    weightsName = `${program.name}.weights`
  const manifest: Manifest = {
    format: 1,
    name: program.name,
    target: 'wasm',
    variant: ['simd', ...(relaxed ? ['relaxed'] : []), ...(threads ? ['threads'] : [])].join('-'),
    symbols: symbolBounds(program),
    entries: Object.fromEntries(
      Object.entries(entries).map(([name, { inputs, outputs, ...wasm }]): [string, Entry] => [
        name,
        { inputs, outputs, predictedMs: lowered.predictedMs.get(name) ?? 0, wasm },
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
    wasm: layout,
    features: [],
    kernels,
  }
  return { manifest, files: { [codeFile]: code, ...(weights !== undefined && { [weightsName]: weights }) } }
}
