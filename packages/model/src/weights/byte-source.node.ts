/** @file Bytes of a file or URL under Node. The only file of this package that knows Node; chosen by export condition. */
import { open, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { QuernError } from '@quern/artifact'
import type { ByteSource } from '@quern/core-ir'
import { fetchSource } from './fetch-source.ts'

export const byteSource = async (url: URL): Promise<ByteSource> => {
  if (url.protocol !== 'file:') return fetchSource(url)
  const path = fileURLToPath(url)
  const unreadable = (cause: unknown): never => {
    throw new QuernError(
      'weights/not-found',
      `cannot read ${path}: is the path right, relative to the model file?`,
      { path },
      cause,
    )
  }
  const { size } = await stat(path).catch(unreadable)
  return {
    name: url.href,
    size,
    read: async (offset, length) => {
      // Long after the header was: the file may be gone.
      const file = await open(path).catch(unreadable)
      try {
        const bytes = new Uint8Array(length)
        const { bytesRead } = await file.read(bytes, 0, length, offset)
        return bytes.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },
  }
}
