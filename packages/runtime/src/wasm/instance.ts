/** @file One instance of a wasm artifact: memory, states, and the run of an entry. Used on the caller's thread and in workers. */
import {
  type Entry,
  type HostArray,
  type Manifest,
  type Port,
  QuernError,
  type WasmEntry,
  type WasmLayout,
  arrayOf,
  bytesOf,
  statusReasons,
  wasmHeader,
} from '@quern/artifact'
import { evaluate } from '../expr.ts'

const pageBytes = 65_536

export interface WasmOutput {
  readonly shape: readonly number[]
  readonly data: HostArray
}

export interface WasmInstance {
  readonly memory: WebAssembly.Memory
  /** Copies inputs in, runs, copies outputs out: into `into[i]` where given. */
  run(
    entry: string,
    inputs: readonly HostArray[],
    symbols: Record<string, number>,
    into?: readonly (HostArray | undefined)[],
  ): readonly WasmOutput[]
  /** Runs as a member of a team other than the first: no copies. */
  join(entry: string, thread: number): void
  readState(name: string): HostArray
  writeState(name: string, data: HostArray): void
  resetState(name?: string): void
  readonly arenaBytes: number
}

const layoutOf = (manifest: Manifest): WasmLayout => {
  if (manifest.wasm === undefined)
    throw new QuernError('artifact/malformed', `the artifact ${manifest.name} has no wasm layout: rebuild the app`, {})
  return manifest.wasm
}

export const makeMemory = (manifest: Manifest): WebAssembly.Memory => {
  const { arenaAt, sharedMaxPages } = layoutOf(manifest)
  const initial = Math.ceil(arenaAt / pageBytes)
  try {
    return new WebAssembly.Memory(
      sharedMaxPages === undefined ? { initial } : { initial, maximum: sharedMaxPages, shared: true },
    )
  } catch (cause) {
    throw new QuernError(
      'wasm/out-of-memory',
      `the engine refused ${initial} pages of memory for ${manifest.name}`,
      { pages: initial },
      cause,
    )
  }
}

/**
 * @param weights copied into the memory; undefined for a member that joins a memory already filled
 */
export const instantiate = async (
  manifest: Manifest,
  module: WebAssembly.Module,
  weights: Uint8Array | undefined,
  memory: WebAssembly.Memory,
  teamSize = 1,
): Promise<WasmInstance> => {
  const layout = layoutOf(manifest)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  const view = (): DataView => new DataView(memory.buffer)
  const initialState = new Map<string, Uint8Array>()
  if (weights !== undefined) {
    new Uint8Array(memory.buffer).set(weights, layout.constantsAt)
    view().setInt32(wasmHeader.teamSize, teamSize, true)
    for (const s of manifest.states)
      if (s.init !== undefined) {
        const bytes = s.shape.reduce((p, d) => p * d, bytesOf[s.dtype])
        initialState.set(s.name, weights.slice(s.init, s.init + bytes))
      }
  }
  let arenaBytes = 0

  const stateNamed = (name: string): { at: number; port: Manifest['states'][number]; size: number } => {
    const port = manifest.states.find(s => s.name === name)
    if (port === undefined)
      throw new QuernError(
        'state/unknown-name',
        `there is no state named ${name}; the states are ${manifest.states.map(s => s.name).join(', ') || 'none'}`,
        { name },
      )
    return { at: port.at, port, size: port.shape.reduce((p, d) => p * d, 1) }
  }
  const resetState = (name?: string): void => {
    for (const s of manifest.states) {
      if (name !== undefined && s.name !== name) continue
      const { at, size } = stateNamed(s.name)
      const target = new Uint8Array(memory.buffer, at, size * bytesOf[s.dtype])
      const init = initialState.get(s.name)
      if (init === undefined) target.fill(0)
      else target.set(init)
    }
    if (name !== undefined) stateNamed(name)
  }
  if (weights !== undefined) resetState()

  const entryNamed = (name: string): { entry: Entry; wasm: WasmEntry } => {
    const entry = manifest.entries[name]
    if (entry?.wasm === undefined)
      throw new QuernError('artifact/malformed', `the artifact ${manifest.name} has no entry ${name} for wasm`, {
        entry: name,
      })
    return { entry, wasm: entry.wasm }
  }
  const call = (wasm: WasmEntry, thread: number): number => {
    const run = exports[wasm.export]
    if (typeof run !== 'function')
      throw new QuernError('artifact/malformed', `the module of ${manifest.name} exports no ${wasm.export}`, {})
    return run(thread) as number
  }
  const at = (port: Port, wasm: WasmEntry, symbols: Readonly<Record<string, number>>): number =>
    evaluate(wasm.buffers[port.buffer] ?? 0, symbols)

  const reserve = (bytes: number): void => {
    arenaBytes = Math.max(arenaBytes, bytes)
    const missing = Math.ceil((layout.arenaAt + bytes - memory.buffer.byteLength) / pageBytes)
    if (missing <= 0) return
    try {
      memory.grow(missing)
    } catch (cause) {
      throw new QuernError(
        'wasm/out-of-memory',
        `this run needs ${layout.arenaAt + bytes} bytes of memory, and the engine refused to grow from ${memory.buffer.byteLength}`,
        { needed: layout.arenaAt + bytes, have: memory.buffer.byteLength },
        cause,
      )
    }
  }

  const output = (
    port: Port,
    wasm: WasmEntry,
    symbols: Readonly<Record<string, number>>,
    into: HostArray | undefined,
  ): WasmOutput => {
    const shape = port.shape.map(d => evaluate(d, symbols))
    const size = shape.reduce((p, d) => p * d, 1)
    const Kind = arrayOf[port.dtype]
    const held = new Kind(memory.buffer, at(port, wasm, symbols), size)
    if (into !== undefined && (into.length !== size || into.BYTES_PER_ELEMENT !== held.BYTES_PER_ELEMENT))
      throw new QuernError(
        'output/size',
        `the output ${port.name} is ${port.dtype}[${shape.join(', ')}] (${size} elements), and \`into\` gave an array of ${into.length}`,
        { output: port.name, expected: size, found: into.length },
      )
    const data = into ?? new Kind(size)
    copyElements(held, data)
    return { shape, data }
  }

  return {
    memory,
    readState: name => {
      const { at: from, port, size } = stateNamed(name)
      const copy = new arrayOf[port.dtype](size)
      copyElements(new arrayOf[port.dtype](memory.buffer, from, size), copy)
      return copy
    },
    writeState: (name, data) => {
      const { at: to, port, size } = stateNamed(name)
      if (data.length !== size || data.BYTES_PER_ELEMENT !== bytesOf[port.dtype])
        throw new QuernError(
          'state/size',
          `the state ${name} is ${port.dtype}[${port.shape.join(', ')}] (${size} elements), and ${data.length} were given`,
          { state: name, expected: size, found: data.length },
        )
      copyElements(data, new arrayOf[port.dtype](memory.buffer, to, size))
    },
    resetState,
    join: (name, thread) => {
      call(entryNamed(name).wasm, thread)
    },
    run: (name, inputs, symbols, into = []) => {
      const { entry, wasm } = entryNamed(name)
      reserve(evaluate(wasm.arenaBytes, symbols))
      const words = view()
      for (const [symbol, word] of Object.entries(layout.symbols)) words.setInt32(word, symbols[symbol] ?? 0, true)
      entry.inputs.forEach((port, i) => {
        const data = inputs[i]
        if (data !== undefined)
          copyElements(data, new arrayOf[port.dtype](memory.buffer, at(port, wasm, symbols), data.length))
      })
      throwStatus(manifest, call(wasm, 0), view())
      const after = view()
      const bound: Record<string, number> = {}
      for (const [symbol, word] of Object.entries(layout.symbols)) bound[symbol] = after.getInt32(word, true)
      return entry.outputs.map((port, i) => output(port, wasm, bound, into[i]))
    },
    get arenaBytes() {
      return arenaBytes
    },
  }
}

/** `set` between arrays of one dtype: bytes, since the two number kinds share no signature. */
const copyElements = (from: HostArray, to: HostArray): void =>
  new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(
    new Uint8Array(from.buffer, from.byteOffset, from.byteLength),
  )

const throwStatus = (manifest: Manifest, status: number, header: DataView): void => {
  if (status === 0) return
  const reason = statusReasons[status & 0xff] ?? 'unknown'
  const kernel = manifest.kernels[status >> 8] ?? 'a kernel'
  const index = header.getInt32(wasmHeader.statusIndex, true)
  throw new QuernError(`run/${reason}`, `${kernel} reported ${reason} at ${index}`, { kernel, reason, index })
}
