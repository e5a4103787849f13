/** @file Serves the files of compiled programs in dev: out of the cache folder, under addresses that name their content. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename, extname } from 'node:path'
import { createHash } from 'node:crypto'

const types: Readonly<Record<string, string>> = {
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.wgsl': 'text/plain; charset=utf-8',
}

const mark = '@quern/'

export interface FileServer {
  urlOf(path: string, base: string): string
  middleware(request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void
}

export const createFileServer = (): FileServer => {
  /** Only files that a stub named are served. */
  const paths = new Map<string, string>()
  return {
    urlOf: (path, base) => {
      // The folder's name is the hash of everything that went into the file.
      const key = `${createHash('sha256').update(path).digest('hex').slice(0, 16)}/${encodeURIComponent(basename(path))}`
      paths.set(key, path)
      return `${base}${mark}${key}`
    },
    middleware: (request, response, next) => {
      const { url = '', method } = request
      const at = url.indexOf(`/${mark}`)
      const path = at < 0 ? undefined : paths.get(url.slice(at + mark.length + 1).replace(/\?.*$/, ''))
      if (path === undefined || (method !== 'GET' && method !== 'HEAD')) return next()
      stat(path).then(
        ({ size }) => {
          response.writeHead(200, {
            'content-type': types[extname(path)] ?? 'application/octet-stream',
            'content-length': size,
            'cache-control': 'no-cache',
            // So that an isolated page (COEP: require-corp) on another origin may read it too.
            'cross-origin-resource-policy': 'cross-origin',
          })
          if (method === 'HEAD') response.end()
          else createReadStream(path).on('error', next).pipe(response)
        },
        () => next(),
      )
    },
  }
}
