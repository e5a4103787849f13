/** @file The runtime's worker: holds one wasm instance (the leader's, or a team member's) and answers one call at a time. */
import { QuernError, isQuernError } from '@quern/artifact'
import { answer } from '#worker-side'
import { type WasmInstance, instantiate, makeMemory } from './wasm/instance.ts'
import {
  type Answer,
  type Call,
  type Reply,
  type SentError,
  type WorkerRequest,
  answerRequest,
} from './wasm/messages.ts'

let instance: WasmInstance | undefined
let thread = 0

const ready = (): WasmInstance => {
  if (instance === undefined)
    throw new QuernError(
      'runtime/worker-not-ready',
      'the worker was used before it was set up. This is a defect of Quern',
      {},
    )
  return instance
}

const nothing = (): Answer => ({
  outputs: [],
  data: undefined,
  returned: [],
  kernels: [],
  arena: ready().arenaBytes,
  peak: ready().memory.buffer.byteLength,
})

const handle = async (request: WorkerRequest): Promise<Answer> => {
  switch (request.kind) {
    case 'init':
      thread = request.thread
      instance = await instantiate({ ...request, memory: request.memory ?? makeMemory(request.manifest) })
      return nothing()
    case 'join':
      ready().join(request.entry, thread, request.symbols)
      return nothing()
    case 'run':
      return { ...answerRequest(ready(), request), returned: request.inputs }
    default:
      return answerRequest(ready(), request)
  }
}

const toSent = (error: unknown): SentError =>
  isQuernError(error)
    ? { code: error.code, message: error.message.replace(`[${error.code}] `, ''), details: error.details }
    : {
        code: 'run/failed',
        message: `the run failed in its worker: ${error instanceof Error ? error.message : String(error)}`,
        details: {},
      }

answer(async ({ id, request }: Call): Promise<{ reply: Reply; transfer: ArrayBuffer[] }> => {
  try {
    const done = await handle(request)
    const arrays = [...done.outputs.map(o => o.data), ...done.returned, ...(done.data === undefined ? [] : [done.data])]
    return { reply: { id, ok: true, answer: done }, transfer: arrays.map(a => a.buffer as ArrayBuffer) }
  } catch (error) {
    return { reply: { id, ok: false, error: toSent(error) }, transfer: [] }
  }
})
