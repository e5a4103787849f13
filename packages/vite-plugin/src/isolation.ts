/** @file The headers that isolate a page, and what to say where they are missing. */
import type { Evaluation } from '@quern/evaluate'

export const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const

/** Says once, of the first model with threaded code, what isolation would gain. */
export const tellIsolation = () => {
  let told = false
  return ({ programs }: Evaluation, say: (message: string) => void): void => {
    const threaded = programs.find(p => p.artifacts.some(a => a.manifest.wasm?.sharedMaxPages !== undefined))
    if (told || threaded === undefined) return
    told = true
    say(
      `quern: ${threaded.name} can run on several threads where the page is cross-origin isolated, and on one otherwise. ` +
        '`quern({ crossOriginIsolation: true })` sends the headers in dev and preview; your host has to send them in production.',
    )
  }
}
