/** @file What the machine reaches in this run: the denominator of every share. */
import { type PeakKind, peakLoop, rateOf } from './peak-loops.ts'

const ms = 60

/**
 * Operations or bytes a second.
 * @param bytes what the workload moves: a cache of this size is what it can hope for
 */
export const measurePeak = async (kind: PeakKind, bytes: number, threads: number): Promise<number> => {
  if (threads === 1) {
    const once = await peakLoop(kind, bytes)
    rateOf(once, ms / 2)
    return rateOf(once, ms)
  }
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./peak-worker.ts', import.meta.url), { type: 'module' }),
  )
  try {
    const rates = await Promise.all(
      workers.map(
        worker =>
          new Promise<number>((resolve, reject) => {
            worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data)
            worker.onerror = event => reject(new Error(event.message))
            worker.postMessage({ kind, bytes: bytes / threads, ms })
          }),
      ),
    )
    return rates.reduce((sum, r) => sum + r, 0)
  } finally {
    for (const worker of workers) worker.terminate()
  }
}
