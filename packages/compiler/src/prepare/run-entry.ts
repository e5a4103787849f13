/** @file Runs an entry of a wasm module in this process, in pieces of rows: reads its inputs late, hands its outputs over. */
import { QuernError, wasmHeader } from '@quern/artifact'
import { evaluateExpr } from '@quern/core-ir'
import type { EmittedCode } from '../back-end.ts'

/** Bytes that a piece may take of inputs and outputs by rows. */
const pieceBytes = 4 << 20

export interface PortBytes {
  /** Of one row where the port goes by rows, else of all of it. */
  readonly bytes: number
  readonly byRows: boolean
}

export interface EntryRun {
  readonly entry: string
  /** Rows in all; undefined where everything is computed at once. */
  readonly rows: number | undefined
  readonly inputs: readonly (PortBytes & { read(offset: number, length: number): Promise<Uint8Array> })[]
  readonly outputs: readonly PortBytes[]
}

/** A module, its memory and the bytes of its own constants. */
export interface Loaded {
  readonly code: EmittedCode
  readonly exports: WebAssembly.Instance['exports']
  readonly memory: WebAssembly.Memory
}

export const load = async (code: EmittedCode, weights: Uint8Array): Promise<Loaded> => {
  const at = code.wasm?.constantsAt ?? 0
  const memory = new WebAssembly.Memory({ initial: Math.ceil((at + weights.length + 1) / 65536) })
  new Uint8Array(memory.buffer, at, weights.length).set(weights)
  const module = await WebAssembly.compile(new Uint8Array(code.code))
  // Plans call the clock when they are profiled, which nobody asks for here.
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, clock: () => {} } })
  return { code, exports, memory }
}

/** The bytes of every output, one after another. */
export const runEntry = async (
  { code, exports, memory }: Loaded,
  run: EntryRun,
  rowsSymbol: string,
): Promise<readonly Uint8Array[]> => {
  const entry = code.entries[run.entry],
    { wasm: layout } = code
  const main = exports[entry?.wasm?.export ?? '']
  if (entry?.wasm === undefined || layout === undefined || typeof main !== 'function')
    throw new Error(`no entry ${run.entry}`)
  const { buffers, arenaBytes } = entry.wasm
  const total = ({ bytes, byRows }: PortBytes): number => bytes * (byRows ? (run.rows ?? 1) : 1)
  const results = run.outputs.map(o => new Uint8Array(total(o)))
  const rowBytes = [...run.inputs, ...run.outputs].reduce((sum, p) => sum + (p.byRows ? p.bytes : 0), 0)
  const step =
    run.rows === undefined ? 1 : Math.min(run.rows, Math.max(1, Math.floor(pieceBytes / Math.max(1, rowBytes))))
  for (let row = 0; row < (run.rows ?? 1); row += step) {
    const count = Math.min(step, (run.rows ?? 1) - row)
    const symbols = run.rows === undefined ? {} : { [rowsSymbol]: count }
    const needed = layout.arenaAt + evaluateExpr(arenaBytes, symbols)
    const pages = Math.ceil(needed / 65536) - memory.buffer.byteLength / 65536
    if (pages > 0) memory.grow(pages)
    const placeOf = (ports: typeof entry.inputs, i: number): number =>
      evaluateExpr(buffers[ports[i]?.buffer ?? -1] ?? Number.NaN, symbols)
    for (const [i, input] of run.inputs.entries()) {
      const bytes = input.byRows
        ? await input.read(row * input.bytes, count * input.bytes)
        : await input.read(0, input.bytes)
      new Uint8Array(memory.buffer, placeOf(entry.inputs, i), bytes.length).set(bytes)
    }
    const view = new DataView(memory.buffer)
    for (const [symbol, value] of Object.entries(symbols)) {
      const at = layout.symbols[symbol]
      if (at !== undefined) view.setInt32(at, value, true)
    }
    view.setInt32(wasmHeader.teamSize, 1, true)
    const status = Number(main(0))
    if (status !== 0)
      throw new QuernError(
        'prepare/failed',
        `preparing constants ended with the status ${status}. This is a defect of Quern`,
        {
          entry: run.entry,
          status,
        },
      )
    run.outputs.forEach((output, i) => {
      const length = output.bytes * (output.byRows ? count : 1)
      results[i]?.set(
        new Uint8Array(memory.buffer, placeOf(entry.outputs, i), length),
        output.byRows ? row * output.bytes : 0,
      )
    })
  }
  return results
}
