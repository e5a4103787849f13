/** @file Numbers for index expressions where the cost of a kernel is asked at given sizes. */
import { type Index, type Kernel, ix } from '@quern/core-ir'
import { roundsByData } from './kernel-cost.ts'

/** Symbols, and axes as far as they are entered. */
export type Sizes = ReadonlyMap<string, number>

/** A size; what data tells counts as a few, and a name without a value as one. */
export const sizeOf = (x: Index, sizes: Sizes): number => {
  if (x.kind === 'const') return x.value
  const known = ix.mapAtoms(x, a =>
    a.kind === 'value'
      ? ix.constant(roundsByData)
      : a.kind === 'var'
        ? ix.constant(Math.floor(sizes.get(a.name) ?? 1))
        : undefined,
  )
  return known.kind === 'const' ? known.value : 1
}

/** Iterations of a loop in the middle of those around it: neither its first nor its last round is like most. */
export const roundsOf = (loop: { readonly extent: Index }, sizes: Sizes): number =>
  Math.max(0, sizeOf(loop.extent, sizes))

/** The sizes inside a loop. */
export const inside = (sizes: Sizes, axis: string, rounds: number): Sizes =>
  new Map([...sizes, [axis, Math.floor(Math.max(0, rounds - 1) / 2)]])

export const symbolSizes = (kernel: Kernel, given: Readonly<Record<string, number>>): Sizes =>
  new Map(kernel.symbols.map(s => [s.name, given[s.name] ?? s.min]))
