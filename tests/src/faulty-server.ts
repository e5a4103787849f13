/** @file Serves a built app, with faults where a test asks for them, as hosts and proxies have them. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

const faults = {
  /** Not deployed. */
  missing: { status: 404 },
  /** An older, shorter build's file. */
  truncated: { change: b => b.subarray(0, b.length >> 1) },
  /** The connection breaks in the middle. */
  'broken off': { change: b => b.subarray(0, b.length >> 1), then: 'close' },
  /** The last byte is another. */
  tampered: { change: b => Buffer.concat([b.subarray(0, -1), Buffer.from([(b.at(-1) ?? 0) ^ 1])]) },
  /** The app's index page, as hosts of single-page apps answer for what they lack. */
  'a page': { change: () => page, type: 'text/html' },
  'a page as wasm': { change: () => page, type: 'application/wasm' },
  /** Half of it, and then nothing. */
  stalled: { change: b => b.subarray(0, b.length >> 1), then: 'wait' },
  /** No fault: what most hosts do. */
  compressed: { encoding: 'br' },
} satisfies Record<string, Answer>
export type Fault = keyof typeof faults

interface Answer {
  readonly status?: number
  readonly type?: string
  readonly change?: (bytes: Buffer) => Buffer
  readonly then?: 'close' | 'wait'
  readonly encoding?: 'br'
}
const page = Buffer.from('<!doctype html><title>app</title>'.padEnd(5000))

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

export interface FaultyServer {
  readonly url: string
  /** By how a file's name ends. */
  readonly faults: Map<string, Fault>
  /** Responses that have begun and not ended. */
  open(): readonly string[]
  /** Bytes of bodies sent for the last request of a file. */
  readonly sent: ReadonlyMap<string, number>
  close(): Promise<void>
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}

/** @param isolated sends the headers that let a page share memory with its workers, and these with theirs */
export const serveFaulty = async (folder: string, isolated = false): Promise<FaultyServer> => {
  const wanted = new Map<string, Fault>()
  const sent = new Map<string, number>()
  const open = new Set<{ readonly file: string }>()
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const file = pathname === '/' ? '/index.html' : pathname
    const fault = [...wanted].find(([end]) => file.endsWith(end))?.[1]
    const { status, type, change, then, encoding }: Answer = fault === undefined ? {} : faults[fault]
    const transfer = { file }
    open.add(transfer)
    response.on('close', () => open.delete(transfer))
    const found = await readFile(join(folder, file)).catch(() => undefined)
    if (found === undefined || status !== undefined) return void response.writeHead(status ?? 404).end('not found')
    const body = encoding === 'br' ? brotliCompressSync(found) : (change?.(found) ?? found)
    sent.set(extname(file), body.length)
    response.writeHead(200, {
      'content-type': type ?? types[extname(file)] ?? 'application/octet-stream',
      'cache-control': 'no-store',
      ...(isolated && isolation),
      'content-length': then === undefined ? body.length : found.length,
      ...(encoding && { 'content-encoding': encoding }),
    })
    if (then === undefined) return void response.end(body)
    response.write(body)
    if (then === 'close') setTimeout(() => response.destroy(), 50)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    faults: wanted,
    sent,
    open: () => [...open].map(r => r.file),
    close: () =>
      new Promise<void>(done => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}
