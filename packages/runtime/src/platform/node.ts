/** @file What differs between a browser and Node: reading a file, and starting a worker. Node's side. */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { QuernError } from '@quern/artifact'
import type { WorkerPort } from './worker-port.ts'

export const readFileUrl = (url: string): Promise<Uint8Array> =>
  readFile(new URL(url)).catch((cause: unknown) => {
    throw new QuernError(
      'asset/not-found',
      `cannot read ${url}: deploy the emitted assets beside the bundle`,
      { url },
      cause,
    )
  })

export const spawnWorker = (): WorkerPort => {
  // It is plain JavaScript: the process's loaders and conditions are not for it, and some of its flags no worker takes.
  const worker = new Worker(new URL('../worker.js', import.meta.url), { execArgv: [] })
  worker.unref()
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: receive => void worker.on('message', receive),
    onError: fail => void worker.on('error', fail),
    awaited: is => void (is ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  }
}

export const canSpawn = (): boolean => true

export const cores = availableParallelism
