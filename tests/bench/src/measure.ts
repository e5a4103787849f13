/** @file Alternates contestants within one run and keeps every time. */
export interface Contestant {
  readonly name: string
  /** One run, typed arrays in, typed arrays out; resolves to the output for the judge. */
  run(): Promise<Float32Array> | Float32Array
}
export interface Measured {
  readonly name: string
  readonly median: number
  readonly best: number
  /** Largest difference to the judge's output, relative to its largest element. */
  readonly error: number
}

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** @param batch runs timed together: the clock ticks in 5 µs steps */
export const measure = async (
  contestants: readonly Contestant[],
  reference: (i: number) => number,
  rounds: number,
  batch = 1,
): Promise<readonly Measured[]> => {
  const times = new Map<string, number[]>(contestants.map(c => [c.name, []]))
  const errors = new Map<string, number>()
  for (const c of contestants) {
    const output = (await c.run()).slice()
    let largest = 0,
      worst = 0
    for (let i = 0; i < output.length; i += 97) {
      const exact = reference(i)
      largest = Math.max(largest, Math.abs(exact))
      const difference = Math.abs((output[i] ?? NaN) - exact)
      worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference)
    }
    errors.set(c.name, worst / largest)
    for (let i = 0; i < 3; i++) await c.run()
  }
  for (let round = 0; round < rounds; round++)
    for (const c of contestants) {
      const start = performance.now()
      for (let i = 0; i < batch; i++) {
        const pending = c.run()
        if (pending instanceof Promise) await pending
      }
      times.get(c.name)?.push((performance.now() - start) / batch)
    }
  return contestants.map(({ name }) => ({
    name,
    median: medianOf(times.get(name) ?? []),
    best: Math.min(...(times.get(name) ?? [])),
    error: errors.get(name) ?? NaN,
  }))
}
