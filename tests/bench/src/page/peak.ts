/** @file What the machine reaches in this run: the denominator of every share. */
import { type PeakKind, peakLoop, rateOf } from './peak-loops.ts'

/** Of one sample. A sample follows every round, so that the peak meets the same disturbances as those who are measured. */
const ms = 6

export interface Peak {
  /** Operations or bytes a second. */
  sample(): Promise<number>
  close(): void
}

/** @param bytes what the workload moves: a cache of this size is what it can hope for */
export const openPeak = async (kind: PeakKind, bytes: number, threads: number): Promise<Peak> => {
  if (threads === 1) {
    const once = await peakLoop(kind, bytes)
    // The engine's better compiler takes over after a while.
    rateOf(once, 60)
    return { sample: async () => rateOf(once, ms), close: () => {} }
  }
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./peak-worker.ts', import.meta.url), { type: 'module' }),
  )
  const all = async (duration: number): Promise<number> => {
    const rates = workers.map(
      worker =>
        new Promise<number>((resolve, reject) => {
          worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data)
          worker.onerror = event => reject(new Error(event.message))
          worker.postMessage({ kind, bytes: bytes / threads, ms: duration })
        }),
    )
    return (await Promise.all(rates)).reduce((sum, r) => sum + r, 0)
  }
  await all(60)
  return {
    sample: () => all(ms),
    close: () => {
      for (const worker of workers) worker.terminate()
    },
  }
}
