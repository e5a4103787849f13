/** @file One worker of the runtime: calls by number, and what becomes of them when it dies. */
import { QuernError } from '@quern/artifact'
import { spawnWorker } from '#platform'
import type { WorkerPort } from '../platform/worker-port.ts'
import type { Answer, Reply, WorkerRequest } from './messages.ts'

export interface TeamMember {
  call(request: WorkerRequest, transfer?: readonly ArrayBuffer[]): Promise<Answer>
  terminate(): void
}

export const startMember = (): TeamMember => {
  const port = spawn()
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: unknown): void }>()
  let next = 0
  /** Why this worker answers no more. */
  let dead: QuernError | undefined
  const settle = (id: number): ReturnType<typeof waiting.get> => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (waiting.size === 0) port.awaited(false)
    return call
  }
  const fail = (error: QuernError): void => {
    dead ??= error
    for (const id of waiting.keys()) settle(id)?.reject(dead)
    port.terminate()
  }
  port.onMessage(message => {
    const reply = message as Reply
    const call = settle(reply.id)
    if (reply.ok) call?.resolve(reply.answer)
    else call?.reject(new QuernError(reply.error.code, reply.error.message, reply.error.details))
  })
  port.onError(cause => fail(workerFailed(cause)))
  return {
    call: (request, transfer = []) =>
      new Promise((resolve, reject) => {
        if (dead !== undefined) return reject(dead)
        if (waiting.size === 0) port.awaited(true)
        waiting.set(next, { resolve, reject })
        return port.post({ id: next++, request }, transfer)
      }),
    terminate: () => fail(new QuernError('model/disposed', 'the model was disposed: load it again', {})),
  }
}

const spawn = (): WorkerPort => {
  try {
    return spawnWorker()
  } catch (cause) {
    throw workerFailed(cause)
  }
}

const workerFailed = (cause: unknown): QuernError =>
  new QuernError(
    'runtime/worker-failed',
    `the runtime's worker could not start or died (${describe(cause)}): load the model again, or with thread 'caller'; its server must let it load (worker-src 'self'; on an isolated page, COEP with every script)`,
    { reason: describe(cause) },
    cause,
  )

const describe = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
