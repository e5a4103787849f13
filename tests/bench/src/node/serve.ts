/** @file A static server: isolated or not, brotli or not, and counting what it sends. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
}

export interface Sent {
  readonly path: string
  readonly bytes: number
}
export interface Served extends AsyncDisposable {
  readonly url: string
  /** What was sent since the last call. */
  taken(): readonly Sent[]
}

/** Weights hardly shrink, and take minutes at the highest quality. */
const quality = (bytes: number): number => (bytes > 20_000_000 ? 3 : bytes > 2_000_000 ? 5 : 11)
export const brotli = (bytes: Uint8Array, best = quality(bytes.length)): Buffer =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: best } })

export const serveFolder = async (
  folder: string,
  { isolated, compressed }: { readonly isolated: boolean; readonly compressed: boolean },
): Promise<Served> => {
  const cache = new Map<string, Buffer>()
  let sent: Sent[] = []
  const read = (file: string): Buffer => {
    const known = cache.get(file)
    if (known !== undefined) return known
    const bytes = readFileSync(file)
    const made = compressed
      ? brotli(bytes, extname(file) === '.wasm' || extname(file) === '.js' ? 11 : undefined)
      : bytes
    if (compressed) cache.set(file, made)
    return made
  }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    const file = join(folder, normalize(path.endsWith('/') ? `${path}index.html` : path))
    if (!file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end()
      return
    }
    const body = read(file)
    sent.push({ path, bytes: body.length })
    response
      .writeHead(200, {
        'content-type': types[extname(file)] ?? 'application/octet-stream',
        'content-length': body.length,
        ...(compressed && { 'content-encoding': 'br' }),
        // An isolated page has a clock of 5 µs, and threads.
        ...(isolated && {
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
          'cross-origin-resource-policy': 'same-origin',
        }),
      })
      .end(body)
  }).listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    taken: () => {
      const all = sent
      sent = []
      return all
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>(done => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}
