/** @file The wasm back end of the pipeline: lowered program to artifact. */
import type { Artifact, Entry, Manifest } from '@quern/artifact'
import { assemble, emitWasm } from '@quern/codegen-wasm'
import { type ProgramGraph, ix } from '@quern/core-ir'
import { type LoweringResult } from '@quern/loop-opt'
import { assetRef } from './asset.ts'
import { symbolBounds } from './manifest.ts'
import type { CompileOptions } from './options.ts'
import { constantReader } from './read-constant.ts'
import { type Placed, weightsFile } from './weights-file.ts'

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
  const placed: Placed[] = [
    ...constants.flatMap(({ buffer, at }) =>
      buffer.data === undefined
        ? []
        : [{ at, dtype: buffer.dtype, shape: buffer.shape, layout: buffer.layout, data: buffer.data }],
    ),
    ...states.flatMap(s =>
      s.data === undefined || s.init === undefined
        ? []
        : [{ at: s.init, dtype: s.dtype, shape: s.shape.map(d => ix.constant(d)), layout: s.layout, data: s.data }],
    ),
  ]
  const weights = weightsBytes === 0 ? undefined : await weightsFile(weightsBytes, placed, constantReader(program))
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
