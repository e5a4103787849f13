/** @file The states of a program in wasm memory. Forks share memory and weights: whose states are not in use are kept beside. */
import { type HostArray, type Manifest, QuernError, type WasmLayout, arrayOf, bytesOf } from '@quern/artifact'
import { checkState } from '../check-sizes.ts'
import { copyElements } from './copy-elements.ts'

export interface WasmStates {
  /** Puts a fork's states where plans find them: a copy, and only where another fork ran last. */
  use(fork: number): void
  /** Forgets a fork. */
  drop(fork: number): void
  /** To be called once the weights are in memory: initial values lie among them, where the states themselves are. */
  remember(): void
  read(fork: number, name: string): HostArray
  write(fork: number, name: string, data: HostArray): void
  reset(fork: number, name: string | undefined): void
}

export const wasmStates = (manifest: Manifest, layout: WasmLayout, memory: WebAssembly.Memory): WasmStates => {
  const ports = manifest.states
  const sizeOf = ({ shape }: (typeof ports)[number]): number => shape.reduce((p, d) => p * d, 1)
  const from = Math.min(...ports.map(p => p.at))
  const bytes = Math.max(0, ...ports.map(p => p.at + sizeOf(p) * bytesOf[p.dtype] - from))
  const region = (): Uint8Array => new Uint8Array(memory.buffer, ports.length === 0 ? 0 : from, bytes)
  const kept = new Map<number, Uint8Array>()
  const initial = new Map<string, Uint8Array>()
  /** Whose states lie where plans find them; nobody's, once that fork is gone. */
  let current: number | undefined = 0

  const stateNamed = (name: string): (typeof ports)[number] => {
    const port = ports.find(p => p.name === name)
    if (port === undefined)
      throw new QuernError(
        'state/unknown-name',
        `there is no state named ${name}; the states are ${ports.map(p => p.name).join(', ') || 'none'}`,
        { name },
      )
    return port
  }
  const view = (port: (typeof ports)[number]): HostArray =>
    new arrayOf[port.dtype](memory.buffer, port.at, sizeOf(port))
  const bytesAt = (port: (typeof ports)[number]): Uint8Array =>
    new Uint8Array(memory.buffer, port.at, sizeOf(port) * bytesOf[port.dtype])
  const first = (port: (typeof ports)[number]): void => {
    const value = initial.get(port.name)
    if (value === undefined) bytesAt(port).fill(0)
    else bytesAt(port).set(value)
  }
  const use = (fork: number): void => {
    if (fork === current) return
    if (bytes > 0) {
      if (current !== undefined) kept.set(current, region().slice())
      const mine = kept.get(fork)
      kept.delete(fork)
      if (mine === undefined) ports.forEach(first)
      else region().set(mine)
    }
    current = fork
  }
  return {
    use,
    drop: fork => {
      kept.delete(fork)
      if (fork === current) current = undefined
    },
    remember: () => {
      for (const { name, init, ...port } of ports)
        if (init !== undefined) {
          const at = layout.constantsAt + init
          initial.set(
            name,
            new Uint8Array(memory.buffer).slice(at, at + sizeOf({ name, ...port }) * bytesOf[port.dtype]),
          )
        }
      ports.forEach(first)
    },
    read: (fork, name) => {
      const port = stateNamed(name)
      use(fork)
      const copy = new arrayOf[port.dtype](sizeOf(port))
      copyElements(view(port), copy)
      return copy
    },
    write: (fork, name, data) => {
      const port = stateNamed(name)
      checkState(port, data)
      use(fork)
      copyElements(data, view(port))
    },
    reset: (fork, name) => {
      const chosen = name === undefined ? ports : [stateNamed(name)]
      use(fork)
      chosen.forEach(first)
    },
  }
}
