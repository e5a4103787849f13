/**
 * @file Files of programs in server builds. Vite takes all assets out of those, since a client's build has them; a model's files
 * may differ and are read from disk. So they are no assets until the end: a mark stands in the code, and is replaced when the
 * chunk that holds it has a name.
 */
import { createHash } from 'node:crypto'
import { dirname, extname, relative } from 'node:path/posix'
import type { HookContext } from './bundler.ts'
import type { ProgramFile } from './core.ts'

const mark = /(["'`])__QUERN_FILE_(\w+)__\1/g

export interface ServerFiles {
  /** An expression that {@link ServerFiles.rendered} replaces. */
  place(file: ProgramFile, assetsDir: string): string
  /** The code of a chunk with the places of files in it, or null where it has none. */
  rendered(code: string, chunkName: string, format: string): string | null
  /** Emits the files that chunks name. */
  emit(context: HookContext): void
}

export const createServerFiles = (): ServerFiles => {
  const files = new Map<string, { readonly fileName: string; readonly bytes: Uint8Array; used: boolean }>()
  return {
    place: ({ assetName, bytes }, assetsDir) => {
      const hash = createHash('sha256').update(assetName).update(bytes).digest('hex')
      const ending = extname(assetName)
      const name = `${assetName.slice(0, assetName.length - ending.length)}-${hash.slice(0, 8)}${ending}`
      const fileName = assetsDir === '' ? name : `${assetsDir}/${name}`
      files.set(hash, { fileName, bytes, used: files.get(hash)?.used ?? false })
      return JSON.stringify(`__QUERN_FILE_${hash}__`)
    },
    rendered: (code, chunkName, format) => {
      const changed = code.replace(mark, (whole, _, hash: string) => {
        const file = files.get(hash)
        if (file === undefined) return whole
        file.used = true
        // A server reads its files beside its own code, whatever `base` says.
        const path = JSON.stringify(relative(dirname(chunkName), file.fileName))
        return format === 'cjs'
          ? `require('node:url').pathToFileURL(require('node:path').join(__dirname, ${path})).href`
          : `new URL(${path}, import.meta.url).href`
      })
      return changed === code ? null : changed
    },
    emit: context => {
      for (const { fileName, bytes, used } of files.values())
        if (used) context.emitFile({ type: 'asset', fileName, source: bytes })
      for (const file of files.values()) file.used = false
    },
  }
}
