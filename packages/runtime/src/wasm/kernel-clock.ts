/** @file The clock that a plan calls between its steps while it is profiled. */
import type { KernelTime } from '@quern/artifact'

export interface KernelClock {
  /** @param step the index of the kernel that has ended; -1 where a plan begins, and one more than there are for a copy */
  tick(step: number): void
  /** The times since they were last taken. */
  taken(): readonly KernelTime[]
}

export const kernelClock = (kernels: readonly string[]): KernelClock => {
  let times = new Map<string, KernelTime>()
  let last = 0
  return {
    tick: step => {
      const now = performance.now()
      const kernel = kernels[step] ?? 'copy'
      const { ms, runs } = times.get(kernel) ?? { ms: 0, runs: 0 }
      if (step >= 0) times.set(kernel, { kernel, ms: ms + now - last, runs: runs + 1 })
      // What this took is nobody's.
      last = performance.now()
    },
    taken: () => {
      const taken = [...times.values()]
      times = new Map()
      return taken
    },
  }
}
