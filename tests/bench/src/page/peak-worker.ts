/** @file One of several threads that run the same loop at once: opened by the first message, and sampled by each. */
import { type PeakKind, peakLoop, rateOf } from './peak-loops.ts'

let opened: Promise<() => number> | undefined

addEventListener('message', async ({ data }: MessageEvent<{ kind: PeakKind; bytes: number; ms: number }>) => {
  opened ??= peakLoop(data.kind, data.bytes)
  postMessage(rateOf(await opened, data.ms))
})
