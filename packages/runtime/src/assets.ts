/** @file Fetches an artifact's files: counts decoded bytes, checks every chunk, and says what is wrong in words. */
import { type ArtifactParts, type AssetRef, QuernError, chunkBytes } from '@quern/artifact'
import { readFileUrl } from '#platform'

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes that arrived since the last call. */
  onBytes(count: number): void
}

export type Checked = 'sha-256' | 'unchecked: no crypto.subtle'
export const checking = (): Checked =>
  globalThis.crypto?.subtle === undefined ? 'unchecked: no crypto.subtle' : 'sha-256'

export const fetchAsset = async (
  parts: ArtifactParts,
  ref: AssetRef,
  options: FetchOptions,
): Promise<Uint8Array<ArrayBuffer>> => {
  const source = parts.assets[ref.file]
  if (source === undefined)
    throw new QuernError('asset/not-found', `the stub names no source for ${ref.file}: rebuild the app`, {
      file: ref.file,
    })
  throwIfAborted(options.signal)
  if (typeof source === 'string' && !source.startsWith('file:')) return fetchUrl(source, ref, options)
  const bytes = typeof source === 'string' ? await readFileUrl(source) : await source()
  throwIfAborted(options.signal)
  checkSize(ref, bytes.length, ref.file)
  options.onBytes(bytes.length)
  // The caller's bytes stay theirs: weights move on into a worker.
  const copy = new Uint8Array(bytes)
  await checkChunks(ref, copy)
  return copy
}

export const throwIfAborted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted === true)
    throw new QuernError('load/aborted', 'loading was aborted by its signal', {}, signal.reason)
}

const fetchUrl = async (
  url: string,
  ref: AssetRef,
  { signal, onBytes }: FetchOptions,
): Promise<Uint8Array<ArrayBuffer>> => {
  const response = await fetch(url, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    throwIfAborted(signal)
    throw new QuernError(
      'asset/unreachable',
      `fetching ${url} failed: is the server up, and does it allow this origin?`,
      { url },
      cause,
    )
  })
  if (response.status >= 500)
    throw new QuernError(
      'asset/server-failed',
      `the server failed: ${url} answered ${response.status}; the app is not at fault, so try again or look at the server's log`,
      { url, status: response.status },
    )
  if (!response.ok)
    throw new QuernError(
      'asset/not-found',
      `${url} answered ${response.status}: deploy the emitted assets beside the bundle`,
      { url, status: response.status },
    )
  if (response.headers.get('content-type')?.includes('text/html') === true)
    throw new QuernError(
      'asset/got-html',
      `${url} answered with an HTML page: the server falls back to its index page, so the asset is missing or \`base\` is wrong`,
      { url },
    )
  const bytes = new Uint8Array(ref.bytes)
  const checks: Promise<void>[] = []
  let at = 0
  const reader = response.body?.getReader()
  const read = async (): Promise<Uint8Array | undefined> => {
    if (reader === undefined) return undefined
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throwIfAborted(signal)
      throw new QuernError(
        'asset/truncated',
        `the transfer of ${url} broke off after ${at} of ${ref.bytes} bytes: try again`,
        { url, expected: ref.bytes, found: at },
        cause,
      )
    })
    return done ? undefined : value
  }
  for (let chunk = await read(); chunk !== undefined; chunk = await read()) {
    if (at === 0) refuseHtml(chunk, url)
    if (at + chunk.length > bytes.length) {
      await reader?.cancel()
      checkSize(ref, at + chunk.length, url)
    }
    bytes.set(chunk, at)
    at += chunk.length
    // Each is checked while the next is on its way.
    while ((checks.length + 1) * chunkBytes <= at) checks.push(settling(checkChunk(ref, bytes, checks.length)))
    onBytes(chunk.length)
  }
  checkSize(ref, at, url)
  while (checks.length < ref.sha256.length) checks.push(settling(checkChunk(ref, bytes, checks.length)))
  await Promise.all(checks)
  return bytes
}

/** A promise whose failure somebody will look at, but later. */
const settling = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {})
  return promise
}

/** A server may send its index page under any content type. */
const refuseHtml = (bytes: Uint8Array, url: string): void => {
  const start = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase()
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    throw new QuernError(
      'asset/got-html',
      `${url} answered with an HTML page: the server falls back to its index page, so the asset is missing or \`base\` is wrong`,
      { url },
    )
}

const checkSize = (ref: AssetRef, found: number, where: string): void => {
  if (found !== ref.bytes)
    throw new QuernError(
      found > ref.bytes ? 'asset/too-long' : 'asset/truncated',
      `${where} has ${found > ref.bytes ? `${found} bytes or more` : `${found} bytes`}, and ${ref.bytes} were built: deploy the assets of one build together`,
      { file: ref.file, expected: ref.bytes, found },
    )
}

const checkChunks = async (ref: AssetRef, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
  await Promise.all(ref.sha256.map((_, i) => checkChunk(ref, bytes, i)))
}

const checkChunk = async (ref: AssetRef, bytes: Uint8Array<ArrayBuffer>, chunk: number): Promise<void> => {
  const { subtle } = globalThis.crypto ?? {}
  const expected = ref.sha256[chunk]
  if (subtle === undefined || expected === undefined) return
  const digest = await subtle.digest('SHA-256', bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes))
  const found = Array.from(new Uint8Array(digest), b => b.toString(16).padStart(2, '0')).join('')
  if (found !== expected)
    throw new QuernError(
      'asset/tampered',
      `${ref.file} is not what was built (chunk ${chunk}): deploy the assets of one build together, and let no proxy rewrite them`,
      { file: ref.file, chunk, expected, found },
    )
}
