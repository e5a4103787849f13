/** @file Bytes of a URL where there is no file system. */
import type { ByteSource } from '@quern/core-ir'
import { fetchSource } from './fetch-source.ts'

export const byteSource = (url: URL): Promise<ByteSource> => fetchSource(url)
