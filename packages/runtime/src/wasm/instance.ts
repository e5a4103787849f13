/** @file One instance of a wasm artifact: memory and the run of an entry. Used on the caller's thread and in workers. */
import {
  type Entry,
  type HostArray,
  type KernelTime,
  type Manifest,
  type Port,
  QuernError,
  type WasmEntry,
  type WasmLayout,
  arrayOf,
  statusReasons,
  wasmHeader,
} from '@quern/artifact'
import type { HostOutput } from '../executor.ts'
import { checkInto } from '../check-sizes.ts'
import { evaluate } from '../expr.ts'
import { own } from '../own.ts'
import { copyElements } from './copy-elements.ts'
import { type Round, hasRows, partOf, roundsOf } from './rounds.ts'
import { kernelClock } from './kernel-clock.ts'
import { type WasmStates, wasmStates } from './states.ts'

const pageBytes = 65_536

export interface WasmRun {
  readonly entry: string
  /** Whose states the run sees and changes. */
  readonly fork: number
  readonly inputs: readonly HostArray[]
  readonly symbols: Readonly<Record<string, number>>
  /** Fills these where given; `undefined` for no outputs at all, as a profile wants it. */
  readonly into: readonly (HostArray | undefined)[] | undefined
}

export interface WasmInstance {
  readonly memory: WebAssembly.Memory
  readonly states: WasmStates
  /** Copies inputs in, runs, copies outputs out; or, for a profile, tells the time of each kernel. */
  run(run: WasmRun): { readonly outputs: readonly HostOutput[]; readonly kernels: readonly KernelTime[] }
  /**
   * Runs as a member of a team other than the first: no copies, as many rounds as the leader. The plan meets the leader
   * before it reads anything.
   */
  join(entry: string, thread: number, symbols: Readonly<Record<string, number>>): void
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
      `the engine refused ${initial} pages of memory for ${manifest.name}: close other pages, or load a smaller model`,
      { pages: initial },
      cause,
    )
  }
}

export interface WasmSetup {
  readonly manifest: Manifest
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** Copied into the memory; undefined for a member that joins a memory already filled. */
  readonly weights: Uint8Array | undefined
  readonly teamSize: number
}

export const instantiate = async (setup: WasmSetup): Promise<WasmInstance> => {
  const { manifest, module, memory, weights, teamSize } = setup
  const layout = layoutOf(manifest)
  const clock = kernelClock(manifest.kernels)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, clock: clock.tick } })
  const states = wasmStates(manifest, layout, memory)
  if (weights !== undefined) {
    new Uint8Array(memory.buffer).set(weights, layout.constantsAt)
    new DataView(memory.buffer).setInt32(wasmHeader.teamSize, teamSize, true)
    states.remember()
  }
  let arenaBytes = 0

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
    try {
      return run(thread) as number
    } catch (cause) {
      throw new QuernError(
        'run/trap',
        `${manifest.name} trapped in wasm (${cause instanceof Error ? cause.message : String(cause)}). This is a defect of Quern`,
        { entry: wasm.export },
        cause,
      )
    }
  }
  const addressOf = (port: Port, wasm: WasmEntry, symbols: Readonly<Record<string, number>>): number =>
    evaluate(wasm.buffers[port.buffer] ?? 0, symbols)

  const reserve = (bytes: number): void => {
    const needed = layout.arenaAt + bytes
    const missing = Math.ceil((needed - memory.buffer.byteLength) / pageBytes)
    try {
      if (missing > 0) memory.grow(missing)
    } catch (cause) {
      throw new QuernError(
        'wasm/out-of-memory',
        `this run needs ${needed} bytes of memory, and the engine refused to grow from ${memory.buffer.byteLength}: run on smaller inputs`,
        { needed, have: memory.buffer.byteLength },
        cause,
      )
    }
    arenaBytes = Math.max(arenaBytes, bytes)
  }

  const output = (
    port: Port,
    wasm: WasmEntry,
    symbols: Readonly<Record<string, number>>,
    round: Round,
    into: HostArray | undefined,
  ): HostOutput => {
    const shape = port.shape.map(d => evaluate(d, { ...symbols, ...round.whole }))
    const size = shape.reduce((p, d) => p * d, 1)
    const data = into ?? new arrayOf[port.dtype](size)
    checkInto(port, shape, data)
    const part = partOf(data, round)
    copyElements(new arrayOf[port.dtype](memory.buffer, addressOf(port, wasm, symbols), part.length), part)
    return { shape, data }
  }

  return {
    memory,
    states,
    join: (name, thread, symbols) => {
      const { wasm } = entryNamed(name)
      for (const _ of roundsOf(wasm, symbols)) call(wasm, thread)
    },
    run: ({ entry: name, fork, inputs, symbols: given, into }) => {
      const { entry, wasm } = entryNamed(name)
      let outputs: readonly HostOutput[] = []
      for (const round of roundsOf(wasm, given)) {
        const { symbols } = round
        reserve(evaluate(wasm.arenaBytes, symbols))
        states.use(fork)
        const words = new DataView(memory.buffer)
        for (const [symbol, word] of Object.entries(layout.symbols))
          words.setInt32(word, own(symbols, symbol) ?? 0, true)
        entry.inputs.forEach((port, i) => {
          const data = inputs[i]
          if (data === undefined) return
          const part = hasRows(port, wasm) ? partOf(data, round) : data
          copyElements(part, new arrayOf[port.dtype](memory.buffer, addressOf(port, wasm, symbols), part.length))
        })
        words.setInt32(wasmHeader.profile, Number(into === undefined), true)
        const status = call(wasm, 0)
        throwStatus(manifest, status, words)
        // A run may define symbols of its own.
        const bound = Object.fromEntries(
          Object.entries(layout.symbols).map(([symbol, word]) => [symbol, words.getInt32(word, true)]),
        )
        if (into !== undefined)
          outputs = entry.outputs.map((port, i) => output(port, wasm, bound, round, outputs[i]?.data ?? into[i]))
      }
      return { outputs, kernels: clock.taken() }
    },
    get arenaBytes() {
      return arenaBytes
    },
  }
}

const throwStatus = (manifest: Manifest, status: number, header: DataView): void => {
  if (status === 0) return
  const reason = statusReasons[status & 0xff] ?? 'unknown'
  const kernel = manifest.kernels[status >> 8] ?? 'a kernel'
  const index = header.getInt32(wasmHeader.statusIndex, true)
  throw new QuernError(`run/${reason}`, `${kernel} reported ${reason} at ${index}`, { kernel, reason, index })
}
