/** @file The files of an artifact: bytes with their size and a sha-256 per chunk. */
import { type AssetRef, chunkBytes } from '@quern/artifact'

const hex = (digest: ArrayBuffer): string =>
  Array.from(new Uint8Array(digest), b => b.toString(16).padStart(2, '0')).join('')

/** @returns the reference that a manifest holds */
export const assetRef = async (file: string, bytes: Uint8Array): Promise<AssetRef> => {
  const sha256: string[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = new Uint8Array(bytes.subarray(at, at + chunkBytes))
    sha256.push(hex(await globalThis.crypto.subtle.digest('SHA-256', chunk)))
  }
  return { file, bytes: bytes.length, sha256 }
}
