/** @file The artifact of one variant: its code, its packed weights, and the manifest that describes both. */
import type { Artifact, Entry, SymbolBounds } from '@quern/artifact'
import { type ProgramGraph, mergeSymbols } from '@quern/core-ir'
import { type LoweringResult, timeExpr } from '@quern/loop-opt'
import { assetRef } from './asset.ts'
import type { EmittedCode } from './back-end.ts'
import type { CompileOptions } from './options.ts'
import { type PackWeights, placedData } from './weights-file.ts'

export const artifactOf = async (
  emitted: EmittedCode,
  lowered: LoweringResult,
  program: ProgramGraph,
  pack: PackWeights,
  { onStage }: Pick<CompileOptions, 'onStage'>,
): Promise<Artifact> => {
  const { target, variant, endings, code, entries, states, weightsBytes, features, kernels, wasm } = emitted
  const codeFile = `${program.name}.${endings.code}`,
    weightsName = `${program.name}.${endings.weights}`
  const weights = weightsBytes === 0 ? undefined : await pack(weightsName, weightsBytes, placedData(emitted))
  const files = { [codeFile]: code, ...(weights !== undefined && { [weightsName]: weights.file }) }
  onStage?.(
    'sizes',
    Object.entries(files)
      .map(([name, f]) => `${name}: ${f.length} bytes`)
      .join('\n'),
  )
  return {
    files,
    manifest: {
      format: 1,
      name: program.name,
      target,
      variant,
      symbols: symbolBounds(program),
      entries: Object.fromEntries(
        Object.entries(entries).map(([name, { inputs, outputs, ...code }]): [string, Entry] => [
          name,
          { inputs, outputs, predictedMs: timeExpr(lowered.predicted.get(name) ?? new Map()), ...code },
        ]),
      ),
      states: states.map(({ name, dtype, shape, at, init }) => ({
        name,
        dtype,
        shape,
        at,
        ...(init !== undefined && { init }),
      })),
      code: await assetRef(codeFile, code),
      ...(weights !== undefined && { weights: weights.ref }),
      ...(wasm !== undefined && { wasm }),
      features,
      kernels,
    },
  }
}

/** Bounds of the dims that callers bind; data-defined ones are the plan's own. */
const symbolBounds = (program: ProgramGraph): Readonly<Record<string, SymbolBounds>> => {
  const all = mergeSymbols(...[...program.entries.values()].map(g => g.symbols))
  return Object.fromEntries(
    [...all.values()]
      .filter(({ upper }) => upper === undefined)
      .map(({ name, min, max, multipleOf }): [string, SymbolBounds] => [
        name,
        { min, ...(max !== undefined && { max }), ...(multipleOf > 1 && { multipleOf }) },
      ]),
  )
}
