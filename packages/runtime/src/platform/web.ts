/** @file What differs between a browser and Node: reading a file, and starting a worker. The browser's side. */
import { QuernError } from '@quern/artifact'
import type { WorkerPort } from './worker-port.ts'

export const readFileUrl = (url: string): Promise<Uint8Array> =>
  Promise.reject(
    new QuernError('asset/not-found', `a browser cannot read ${url}: open the app through a web server`, { url }),
  )

export const spawnWorker = (): WorkerPort => {
  const worker = new Worker(new URL('../worker.js', import.meta.url), { type: 'module' })
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: receive => worker.addEventListener('message', event => receive(event.data)),
    onError: fail => {
      worker.addEventListener('error', event => fail(event.error ?? event.message ?? 'its file did not load'))
      worker.addEventListener('messageerror', () => fail('a message could not be read'))
    },
    awaited: () => {},
    terminate: () => worker.terminate(),
  }
}

export const canSpawn = (): boolean => typeof Worker === 'function'

export const cores = (): number => globalThis.navigator?.hardwareConcurrency ?? 1
