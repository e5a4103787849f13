/** @file The graph half of the pipeline: every entry through the graph passes, then into regions. */
import { type ConstantData, type Fired, type Graph, type ProgramGraph, printGraph } from '@quern/core-ir'
import { formRegions, optimise } from '@quern/graph-opt'
import type { TargetInfo } from '@quern/loop-opt'
import { type CompileOptions, numericsOf } from './options.ts'
import { constantReader } from './read-constant.ts'
import { passVerifier } from './verify-pass.ts'

export const optimiseProgram = async (
  program: ProgramGraph,
  target: TargetInfo,
  options: CompileOptions,
): Promise<ProgramGraph> => {
  const show = (name: string, graph: Graph, fired: readonly Fired[] = []): void => {
    if (options.onStage === undefined) return
    const rules = fired.map(
      f => `// ${f.rule} at ${f.op}${f.at === undefined ? '' : ` (${f.at.file}:${f.at.line}:${f.at.column})`}\n`,
    )
    options.onStage(name, rules.join('') + printGraph(graph))
  }
  const sources = new Map(program.sources)
  const readConstant = constantReader({ ...program, sources })
  const store = (bytes: Uint8Array): ConstantData => {
    const source = `folded:${sources.size}`
    sources.set(source, {
      name: source,
      size: bytes.length,
      read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    })
    return { kind: 'bytes', source, offset: 0, length: bytes.length, hash: '' }
  }
  const entries = new Map<string, Graph>()
  for (const [name, graph] of program.entries) {
    show('graph', graph)
    let fired: Fired[] = []
    const context = {
      numerics: numericsOf(options),
      note: (more: readonly Fired[]) => {
        fired.push(...more)
      },
      bytesOf: (source: string, offset: number, length: number) =>
        readConstant({ kind: 'bytes', source, offset, length, hash: '' }),
      store,
    }
    const check = options.verify === true ? await passVerifier(graph, readConstant) : undefined
    const optimised = await optimise(graph, context, async (pass, after) => {
      show(pass.name, after, fired)
      fired = []
      await check?.(pass.name, after)
    })
    const regions = formRegions(optimised, { maxBuffers: target.buffersPerKernel })
    show('regions', regions)
    await check?.('regions', regions)
    entries.set(name, regions)
  }
  return { ...program, entries, sources }
}
