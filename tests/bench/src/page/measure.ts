/** @file Alternates contestants within one run and keeps every time. */
import type { Contestant } from '../peers/contestant.ts'

export interface Entered {
  readonly id: string
  readonly contestant: Contestant
}
export interface Timed {
  readonly id: string
  readonly median: number
  readonly best: number
  /** Runs that one sample stands for. */
  readonly batch: number
}

export const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** The clock of an isolated page ticks in steps of 5 µs: a sample is long enough that a step is below one percent of it. */
const shortestSample = 0.6
const warmup = { runs: 4, ms: 150 }

const sample = async ({ contestant }: Entered, batch: number): Promise<number> => {
  const start = performance.now()
  for (let i = 0; i < batch; i++) {
    const pending = contestant.run()
    if (pending instanceof Promise) await pending
  }
  return (performance.now() - start) / batch
}

export const measure = async (
  entered: readonly Entered[],
  rounds: number,
  /** Between rounds; not timed. */
  between: (round: number) => Promise<void>,
): Promise<readonly Timed[]> => {
  const batches = new Map<string, number>()
  for (const one of entered) {
    let fastest = Infinity
    const until = performance.now() + warmup.ms
    for (let i = 0; i < warmup.runs || performance.now() < until; i++) fastest = Math.min(fastest, await sample(one, 1))
    batches.set(one.id, Math.max(1, Math.ceil(shortestSample / Math.max(fastest, 0.005))))
  }
  const times = new Map<string, number[]>(entered.map(e => [e.id, []]))
  for (let round = 0; round < rounds; round++) {
    await between(round)
    // Nobody always runs after the same neighbour.
    for (let i = 0; i < entered.length; i++) {
      const one = entered[(i + round) % entered.length] as Entered
      times.get(one.id)?.push(await sample(one, batches.get(one.id) ?? 1))
    }
  }
  return entered.map(({ id }) => ({
    id,
    median: medianOf(times.get(id) ?? []),
    best: Math.min(...(times.get(id) ?? [])),
    batch: batches.get(id) ?? 1,
  }))
}
