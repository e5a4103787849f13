/**
 * @file The runtime's worker in bundles: Vite's client build finds it by its literal `new Worker(new URL(…))`; every other
 * build is told of it here, and gets a chunk of its own.
 */
import { dirname, resolve } from 'node:path'
import type { HookContext } from './bundler.ts'

const reference = /new URL\((['"])(\.{1,2}\/[^'"]*worker\.js)\1, import\.meta\.url\)/

export const namesWorker = /worker\.js['"], import\.meta\.url\)/

/** Rewrites the worker's URL to that of an emitted chunk, whose reference it reports. */
export const emitWorker = (
  context: HookContext,
  code: string,
  id: string,
  emitted: (reference: string) => void,
): string | null => {
  const [text, , path] = reference.exec(code) ?? []
  if (text === undefined || path === undefined) return null
  const chunk = context.emitFile({ type: 'chunk', id: resolve(dirname(id), path), name: 'quern-worker' })
  emitted(chunk)
  return code.replace(text, () => `new URL(import.meta.ROLLUP_FILE_URL_${chunk})`)
}
