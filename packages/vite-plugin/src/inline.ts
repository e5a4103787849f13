/** @file Small files inside the bundle, by Vite's own option. */
import { extname } from 'node:path'
import type { ProgramFile } from './core.ts'

interface InlineSettings {
  readonly assetsInlineLimit?: number | ((file: string, content: Buffer) => boolean | undefined)
}

const defaultLimit = 4096

/** A `data:` URL, or `undefined` where the file is to be an asset. */
export const inlined = (
  { name, path, bytes }: ProgramFile,
  { assetsInlineLimit = defaultLimit }: InlineSettings,
): string | undefined => {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const answer = typeof assetsInlineLimit === 'function' ? assetsInlineLimit(path ?? name, content) : undefined
  const limit = typeof assetsInlineLimit === 'number' ? assetsInlineLimit : defaultLimit
  if (!(answer ?? bytes.byteLength < limit)) return undefined
  const type =
    extname(name) === '.wasm'
      ? 'application/wasm'
      : extname(name) === '.json'
        ? 'application/json'
        : 'application/octet-stream'
  return `data:${type};base64,${content.toString('base64')}`
}
