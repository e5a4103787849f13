/** @file A static file server for pages under test: a folder, or files held in memory, on a free port. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}

export interface Served extends AsyncDisposable {
  /** The address, with a slash at its end. */
  url: string
  close(): Promise<void>
}

/** Serves `from`: a folder's path, or a table of paths (`'/index.html'`) and contents. It sends no special headers. */
export async function serve(from: string | Record<string, string | Uint8Array>): Promise<Served> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = normalize(decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname))
    try {
      const body = typeof from === 'string' ? await readFile(join(from, path)) : from[path]
      if (body === undefined) throw new Error('not found')
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(body)
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found')
    }
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const close = () =>
    new Promise<void>(done => {
      server.close(() => done())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close, [Symbol.asyncDispose]: close }
}
