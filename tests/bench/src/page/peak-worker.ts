/** @file One of several threads that run the same loop at once. */
import { type PeakKind, peakLoop, rateOf } from './peak-loops.ts'

addEventListener('message', async ({ data }: MessageEvent<{ kind: PeakKind; bytes: number; ms: number }>) => {
  const once = await peakLoop(data.kind, data.bytes)
  rateOf(once, data.ms / 2)
  postMessage(rateOf(once, data.ms))
})
