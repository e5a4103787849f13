/** @file The loops that say what the machine reaches: arithmetic on registers, copying, reading. */
import copyBytes from '../handwritten/copy.wat'
import peakBytes from '../handwritten/peak.wat'
import sumBytes from '../handwritten/sum.wat'

export type PeakKind = 'flops' | 'copy' | 'read'
type Run = (...args: number[]) => number

const iterations = 400_000

/** A function that runs one loop once and tells what it did: operations, or bytes read and written. */
export const peakLoop = async (kind: PeakKind, bytes: number): Promise<() => number> => {
  const size = Math.ceil(bytes / 64) * 64
  const memory = new WebAssembly.Memory({ initial: kind === 'flops' ? 1 : Math.ceil(size / 65_536) + 1 })
  // Untouched memory is one page of zeros for the system, and reading it is free.
  new Uint8Array(memory.buffer).fill(1)
  const code = { flops: peakBytes, copy: copyBytes, read: sumBytes }[kind]
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } })
  const run = instance.exports['run'] as Run
  if (kind === 'flops') return () => (run(iterations), iterations * 12 * 4 * 2)
  if (kind === 'read') return () => (run(0, size), size)
  const half = Math.floor(size / 128) * 64
  return () => (run(0, half, half), 2 * half)
}

/** Units a second, over about so many milliseconds. */
export const rateOf = (once: () => number, ms: number): number => {
  const start = performance.now()
  let done = 0,
    now = start
  do {
    done += once()
    now = performance.now()
  } while (now - start < ms)
  return (done / (now - start)) * 1000
}
