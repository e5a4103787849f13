/** @file The graph half of the pipeline: every entry through the graph passes, then into regions; shown and verified on the way. */
import {
  type ConstantData,
  type Fired,
  type Graph,
  type LayoutCosts,
  type ProgramGraph,
  hashBytes,
  printGraph,
} from '@quern/core-ir'
import {
  type AskedLayouts,
  type RegionOptions,
  chooseLayouts,
  formRegions,
  independentRows,
  optimise,
  parseLayouts,
} from '@quern/graph-opt'
import { type CompileOptions, numericsOf } from './options.ts'
import { preparation } from './prepare/preparation.ts'
import { constantReader } from './read-constant.ts'
import { passVerifier } from './verify-pass.ts'

/** What regions and the layouts between them are made by. */
export interface RegionLimits extends RegionOptions {
  readonly layouts: LayoutCosts | undefined
}

export interface GraphStages {
  optimise(): Promise<ProgramGraph>
  formRegions(program: ProgramGraph, limits: RegionLimits): Promise<ProgramGraph>
  /** The symbol of each entry along which its rows are independent. */
  rows(program: ProgramGraph): ReadonlyMap<string, string>
}

export const graphStages = (program: ProgramGraph, options: CompileOptions): GraphStages => {
  const sources = new Map(program.sources)
  const readConstant = constantReader({ ...program, sources })
  const show = (name: string, graph: Graph, fired: readonly Fired[] = []): void => {
    if (options.onStage === undefined) return
    const rules = fired.map(
      f => `// ${f.rule} at ${f.op}${f.at === undefined ? '' : ` (${f.at.file}:${f.at.line}:${f.at.column})`}\n`,
    )
    options.onStage(name, rules.join('') + printGraph(graph))
  }
  const store = (bytes: Uint8Array): ConstantData => {
    const hash = hashBytes(bytes)
    const source = `folded:${hash}`
    sources.set(source, {
      name: source,
      size: bytes.length,
      read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    })
    return { kind: 'bytes', source, offset: 0, length: bytes.length, hash }
  }
  // Constants too large to fold are computed when their bytes are first read, by a program of their own.
  const { add: prepare } = preparation(sources, readConstant, options)
  const asked = options.layouts === undefined ? new Map<string, AskedLayouts>() : parseLayouts(options.layouts)
  const [only, ...more] = program.entries.keys()
  const askedFor = (entry: string): AskedLayouts | undefined =>
    asked.get(entry) ?? (more.length === 0 && entry === only ? asked.get('') : undefined)
  const checks = new Map<string, Awaited<ReturnType<typeof passVerifier>>>()

  return {
    optimise: async () => {
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
          prepare,
          ...(options.limits && { limits: options.limits }),
          ...(options.fusions && { fusions: options.fusions }),
        }
        if (options.verify === true) checks.set(name, await passVerifier(graph, readConstant))
        const optimised = await optimise(graph, context, async (pass, after) => {
          show(pass.name, after, fired)
          fired = []
          await checks.get(name)?.(pass.name, after)
        })
        entries.set(name, optimised)
      }
      return { ...program, entries, sources }
    },
    rows: optimised =>
      new Map(
        [...optimised.entries].flatMap(([name, graph]) => {
          const symbol = independentRows(graph)
          return symbol === undefined ? [] : [[name, symbol] as const]
        }),
      ),
    formRegions: async (optimised, limits) => {
      const entries = new Map<string, Graph>()
      for (const [name, graph] of optimised.entries) {
        const fired: Fired[] = []
        const formed = formRegions(graph, {
          ...limits,
          ...(options.fusions && { fusions: options.fusions }),
          note: more => void fired.push(more),
        })
        const { graph: regions, text } = chooseLayouts(formed, limits.layouts, askedFor(name))
        options.onStage?.('layouts', program.entries.size === 1 ? text : `entry ${name}:\n${text}`)
        show('regions', regions, fired)
        await checks.get(name)?.('regions', regions)
        entries.set(name, regions)
      }
      return { ...optimised, entries }
    },
  }
}
