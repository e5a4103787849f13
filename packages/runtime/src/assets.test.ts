/** @file Assets that are missing, cut, changed or replaced by a page are told apart. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ArtifactParts, type AssetRef, isQuernError } from '@quern/artifact'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchAsset } from './assets.ts'

const good = new Uint8Array(1000).map((_, i) => i % 251)
const ref: AssetRef = { file: 'w.bin', bytes: good.length, sha256: [createHash('sha256').update(good).digest('hex')] }
let server: Server, base: string

const answers: Readonly<
  Record<string, { status?: number; type?: string; body: Uint8Array | string; length?: number }>
> = {
  '/good': { body: good },
  '/cut': { body: good.subarray(0, 500) },
  '/failed': { status: 500, body: 'oh no' },
  '/long': { body: new Uint8Array(2000) },
  '/tampered': { body: good.map((b, i) => (i === 7 ? b + 1 : b)) },
  '/page': { type: 'text/html', body: '<!doctype html><title>app</title>' },
  '/page-as-bytes': { type: 'application/octet-stream', body: '<!DOCTYPE html>'.padEnd(1000) },
  '/broken': { body: good.subarray(0, 100), length: 1000 },
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? '']
    if (answer === undefined) return response.writeHead(404).end()
    response.writeHead(answer.status ?? 200, {
      'content-type': answer.type ?? 'application/octet-stream',
      ...(answer.length && { 'content-length': answer.length }),
    })
    if (answer.length === undefined) return response.end(answer.body)
    response.write(answer.body)
    setTimeout(() => response.destroy(), 20)
    return undefined
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const attempt = async (path: string, signal?: AbortSignal): Promise<string> => {
  const parts = { manifest: {} as ArtifactParts['manifest'], assets: { 'w.bin': `${base}${path}` } }
  let seen = 0
  try {
    await fetchAsset(parts, ref, {
      signal,
      onBytes: n => {
        seen += n
      },
    })
    return `ok ${seen}`
  } catch (error) {
    return isQuernError(error) ? error.code : String(error)
  }
}

describe('fetchAsset', () => {
  it.each([
    ['/good', 'ok 1000'],
    ['/cut', 'asset/truncated'],
    ['/long', 'asset/too-long'],
    ['/tampered', 'asset/tampered'],
    ['/page', 'asset/got-html'],
    ['/page-as-bytes', 'asset/got-html'],
    ['/failed', 'asset/server-failed'],
    ['/none', 'asset/not-found'],
    ['/broken', 'asset/truncated'],
  ])('%s: %s', async (path, expected) => expect(await attempt(path)).toBe(expected))
  it('aborts', async () => expect(await attempt('/good', AbortSignal.abort())).toBe('load/aborted'))
  it('tells a server that is down', async () => {
    const parts = { manifest: {} as ArtifactParts['manifest'], assets: { 'w.bin': 'http://127.0.0.1:1/x' } }
    await expect(fetchAsset(parts, ref, { onBytes: () => {} })).rejects.toMatchObject({ code: 'asset/unreachable' })
  })
})
