/** @file Bytes of a URL by fetch: whole, once. */
import { QuernError } from '@quern/artifact'
import type { ByteSource } from '@quern/core-ir'

export const fetchSource = async (url: URL): Promise<ByteSource> => {
  const response = await fetch(url)
  if (!response.ok)
    throw new QuernError('weights/not-found', `${url.href} answered ${response.status}`, {
      url: url.href,
      status: response.status,
    })
  const bytes = new Uint8Array(await response.arrayBuffer())
  return {
    name: url.href,
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }
}
