/** @file Tests only: runs one kernel as wasm, with host arrays for its params. */
import { type HostArray, bytesOf, wasmHeader } from '@quern/artifact'
import { type Kernel, type LoweredProgram, type Plan, type PlanBuffer, bytesOfArray, rowMajor } from '@quern/core-ir'
import { evaluate } from '../../runtime/src/expr.ts'
import { assemble } from '../src/assemble.ts'
import { type EmittedEntry, type EmittedWasm, type WasmOptions, emitWasm } from '../src/emit-wasm.ts'

/** A program whose one plan calls one kernel; every param is a port. */
export const programOf = (...kernels: readonly Kernel[]): LoweredProgram => ({
  name: 'test',
  kernels: new Map(kernels.map(k => [k.name, k])),
  plans: kernels.map((k, i) => planOf(k, i === 0 ? 'main' : `main_${i}`)),
})

const planOf = (kernel: Kernel, entry: string): Plan => {
  const buffers = kernel.params.map((p): PlanBuffer => {
    const port: PlanBuffer = {
      name: p.name,
      kind: p.access === 'read' ? 'input' : 'output',
      dtype: p.dtype,
      shape: p.shape,
      layout: {
        ...rowMajor(p.shape),
        ...(p.strides === undefined ? {} : { strides: p.strides }),
        ...(p.offset === undefined ? {} : { offset: p.offset }),
      },
      port: p.name,
    }
    return port
  })
  return {
    entry,
    symbols: kernel.symbols.map(s => ({ name: s.name, min: s.min, max: s.max, multipleOf: 1 })),
    buffers,
    steps: [{ kind: 'kernel', kernel: kernel.name, args: kernel.params.map(p => p.name) }],
    memory: undefined,
  }
}

export interface Instance {
  readonly emitted: EmittedWasm
  readonly memory: WebAssembly.Memory
  readonly module: WebAssembly.Module
  /** Writes symbols and arrays where the entry expects them, and reads the arrays back in place. */
  write(arrays: Readonly<Record<string, HostArray>>, symbols?: Readonly<Record<string, number>>, entry?: string): void
  read(arrays: Readonly<Record<string, HostArray>>, symbols?: Readonly<Record<string, number>>, entry?: string): void
  /** Writes arrays in, runs, and reads the arrays back in place; returns (status, index). */
  run(
    arrays: Readonly<Record<string, HostArray>>,
    symbols?: Readonly<Record<string, number>>,
    entry?: string,
  ): readonly [number, number]
}

export const instantiate = async (
  program: LoweredProgram,
  options: WasmOptions = { threads: false, relaxed: false },
): Promise<Instance> => {
  const emitted = emitWasm(program, options)
  const binary = await assemble(emitted.wat, options)
  const memory = new WebAssembly.Memory(options.threads ? { initial: 64, maximum: 64, shared: true } : { initial: 1 })
  const module = await WebAssembly.compile(new Uint8Array(binary))
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  const entryNamed = (name: string): EmittedEntry => {
    const entry = emitted.entries[name]
    if (entry === undefined) throw new Error(`no entry ${name}`)
    return entry
  }
  /** The bytes of each port: the host's and the memory's. */
  const pairs: (...args: Parameters<Instance['write']>) => [Uint8Array, Uint8Array][] = (
    arrays,
    symbols = {},
    name = 'main',
  ) => {
    const entry = entryNamed(name)
    return [...entry.inputs, ...entry.outputs].map(port => {
      const array = arrays[port.name]
      if (array === undefined) throw new Error(`no array ${port.name}`)
      const at = evaluate(entry.buffers[port.buffer] ?? 0, symbols)
      return [bytesOfArray(array), new Uint8Array(memory.buffer, at, bytesOf[port.dtype] * array.length)]
    })
  }
  const write: Instance['write'] = (arrays, symbols = {}, name = 'main') => {
    const needed = emitted.layout.arenaAt + evaluate(entryNamed(name).arenaBytes, symbols)
    const pages = Math.ceil(needed / 65536) - memory.buffer.byteLength / 65536
    if (pages > 0) memory.grow(pages)
    const view = new DataView(memory.buffer)
    for (const [symbol, value] of Object.entries(symbols))
      view.setInt32(emitted.layout.symbols[symbol] ?? 0, value, true)
    view.setInt32(wasmHeader.teamSize, 1, true)
    for (const [host, device] of pairs(arrays, symbols, name)) device.set(host)
  }
  const read: Instance['read'] = (arrays, symbols, name) => {
    for (const [host, device] of pairs(arrays, symbols, name)) host.set(device)
  }
  return {
    emitted,
    memory,
    module,
    write,
    read,
    run: (arrays, symbols = {}, name = 'main') => {
      const main = exports[entryNamed(name).export]
      if (typeof main !== 'function') throw new Error(`no function ${name}`)
      write(arrays, symbols, name)
      const status = Number(main(0))
      read(arrays, symbols, name)
      return [status, new DataView(memory.buffer).getInt32(wasmHeader.statusIndex, true)]
    },
  }
}
