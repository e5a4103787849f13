/**
 * @file Constants that are computed at build: graphs of constants become entries of one program, which the same pipeline
 * compiles to wasm, and their results sources of bytes that run it when they are first read. What is never read never runs.
 */
import { bytesOf } from '@quern/artifact'
import {
  type ByteSource,
  type ConstantData,
  type Graph,
  type ProgramGraph,
  type TensorType,
  constantBytes,
  hashBytes,
  ix,
  printGraph,
  printPlan,
} from '@quern/core-ir'
import { formRegions } from '@quern/graph-opt'
import { type LoweringResult, lowerVariants } from '@quern/loop-opt'
import { wasmBackEnd } from '../emit-wasm.ts'
import { legalKernels } from '../loop-stages.ts'
import { type CompileOptions, numericsOf } from '../options.ts'
import { type ReadRange, placedData, weightsFile } from '../weights-file.ts'
import { type ByRows, byRows, rowsSymbol } from './by-rows.ts'
import { type EntryRun, type Loaded, load, runEntry } from './run-entry.ts'

/**
 * Results that several compilations share (the targets of one model), by what they are computed from. Good for as long as
 * the sources that models name keep their bytes.
 */
export type PreparedCache = Map<string, Promise<Uint8Array>>

export interface Preparation {
  /** Takes a graph of constants; gives its outputs as constants. */
  add(graph: Graph): readonly ConstantData[]
}

const countOf = (type: TensorType): number => type.shape.reduce((n, d) => n * ix.evaluateIndex(d, new Map()), 1)
const sizeOf = (type: TensorType): number => countOf(type) * bytesOf[type.dtype]
const extentsOf = (type: TensorType): number[] => type.shape.map(d => ix.evaluateIndex(d, new Map()))

/** One piece: its form by rows, and where each output lies in its result. */
interface Piece {
  readonly form: ByRows
  readonly sizes: readonly number[]
}

/**
 * @param sources gets a source for every graph
 * @param read reads constants, those of earlier graphs too
 */
export const preparation = (
  sources: Map<string, ByteSource>,
  read: ReadRange,
  options: CompileOptions,
): Preparation => {
  const cache: PreparedCache = options.prepared ?? new Map()
  const info = wasmBackEnd.info({})
  const pieces = new Map<string, Piece>()
  /** The modules that hold entries; those of pieces that were added since the last one was made are in none. */
  const modules = new Map<string, Promise<Loaded>>()

  const lowerAll = (entries: ReadonlyMap<string, Graph>): { program: ProgramGraph; lowered: LoweringResult } => {
    const regions = new Map(
      [...entries].map(([name, graph]) => [name, formRegions(graph, { maxBuffers: info.buffersPerKernel })]),
    )
    const program = { name: 'prepare', entries: regions, states: [], sources }
    const numerics = numericsOf(options)
    const [lowered] = legalKernels(lowerVariants(program, [info], { numerics }), [info], numerics)
    if (lowered === undefined) throw new Error('one target is lowered once')
    return { program, lowered }
  }
  const compileAll = async (entries: ReadonlyMap<string, Graph>): Promise<Loaded> => {
    const emit = wasmBackEnd.emitter()
    const { program, lowered } = lowerAll(entries)
    const code = await emit(lowered, program, {})
    return load(code, await weightsFile(code.weightsBytes, placedData(code), read))
  }
  const moduleWith = (hash: string): Promise<Loaded> => {
    const known = modules.get(hash)
    if (known !== undefined) return known
    const waiting = [...pieces].filter(([name]) => !modules.has(name) && !cache.has(name))
    const piece = pieces.get(hash)
    const entries = new Map(
      [...waiting, ...(piece === undefined ? [] : [[hash, piece] as const])].map(([name, p]) => [name, p.form.graph]),
    )
    const module = compileAll(entries)
    for (const name of entries.keys()) modules.set(name, module)
    return module
  }

  const compute = async (hash: string, { form, sizes }: Piece): Promise<Uint8Array> => {
    const inputs = form.inputs.map(({ node, byRows: rowwise }): EntryRun['inputs'][number] => {
      const { data } = node.attrs as { readonly data: ConstantData }
      const type = node.results[0]?.type ?? { dtype: 'f32', shape: [] }
      const bytes = sizeOf(type) / (rowwise ? (form.rows ?? 1) : 1)
      if (data.kind === 'bytes')
        return {
          bytes,
          byRows: rowwise,
          read: (offset, length) => read({ ...data, offset: data.offset + offset, length }),
        }
      const all = constantBytes(data, type.dtype, extentsOf(type))
      return {
        bytes,
        byRows: rowwise,
        read: (offset, length) => Promise.resolve(all.subarray(offset, offset + length)),
      }
    })
    const outputs = sizes.map(bytes => ({ bytes: bytes / (form.rows ?? 1), byRows: form.rows !== undefined }))
    const results = await runEntry(
      await moduleWith(hash),
      { entry: hash, rows: form.rows, inputs, outputs },
      rowsSymbol,
    )
    const [only] = results
    if (only !== undefined && results.length === 1) return only
    const joined = new Uint8Array(sizes.reduce((a, b) => a + b, 0))
    let at = 0
    for (const bytes of results) {
      joined.set(bytes, at)
      at += bytes.length
    }
    return joined
  }
  const resultOf = (hash: string, piece: Piece): Promise<Uint8Array> => {
    const known = cache.get(hash)
    if (known !== undefined) return known
    const result = compute(hash, piece)
    cache.set(hash, result)
    return result
  }

  return {
    add: graph => {
      const text = printGraph(graph)
      // Where a line came from is no part of what is computed.
      const hash = hashBytes(
        new TextEncoder().encode(`${numericsOf(options)} ${text.replace(/[ \t]*\/\/[^\n]*/g, '')}`),
      )
      const source = `prepared:${hash}`
      const sizes = graph.outputs.map(({ value }) => sizeOf(value.type))
      const piece = pieces.get(hash) ?? { form: byRows(graph), sizes }
      if (!pieces.has(hash)) {
        pieces.set(hash, piece)
        sources.set(source, {
          name: source,
          size: sizes.reduce((a, b) => a + b, 0),
          read: async (offset, length) => (await resultOf(hash, piece)).subarray(offset, offset + length),
        })
        if (options.onStage !== undefined)
          options.onStage(
            'prepare',
            describe(source, text, piece, lowerAll(new Map([[hash, piece.form.graph]])).lowered),
          )
      }
      let offset = 0
      return sizes.map((length): ConstantData => {
        const data: ConstantData = { kind: 'bytes', source, offset, length, hash }
        offset += length
        return data
      })
    },
  }
}

/** What `inspect --stage prepare` shows of one piece. */
const describe = (source: string, text: string, { form, sizes }: Piece, lowered: LoweringResult): string => {
  const bytes = sizes.reduce((a, b) => a + b, 0)
  const way = form.rows === undefined ? 'at once' : `of ${form.rows} rows, piece by piece`
  return [`// ${source}: ${bytes} bytes, computed ${way}`, text, ...lowered.plans.map(printPlan)].join('\n')
}
