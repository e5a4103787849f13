/** @file The runtime's worker: holds one wasm instance (the leader's, or a team member's) and answers one call at a time. */
import { QuernError, isQuernError } from '@quern/artifact'
import { answer } from '#worker-side'
import { type WasmInstance, instantiate, makeMemory } from './wasm/instance.ts'
import type { Call, Reply, SentError } from './wasm/messages.ts'

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

const handle = async ({ id, request }: Call): Promise<{ reply: Reply; transfer: ArrayBuffer[] }> => {
  const done = (more: Partial<Extract<Reply, { ok: true }>> = {}, transfer: ArrayBuffer[] = []) => ({
    reply: {
      id,
      ok: true as const,
      arena: instance?.arenaBytes ?? 0,
      peak: instance?.memory.buffer.byteLength ?? 0,
      ...more,
    },
    transfer,
  })
  switch (request.kind) {
    case 'init':
      thread = request.thread
      instance = await instantiate(
        request.manifest,
        request.module,
        request.weights,
        request.memory ?? makeMemory(request.manifest),
        request.teamSize,
      )
      return done()
    case 'run': {
      const outputs = ready().run(request.entry, request.inputs, request.symbols)
      return done(
        { outputs },
        outputs.map(o => o.data.buffer as ArrayBuffer),
      )
    }
    case 'join':
      ready().join(request.entry, thread)
      return done()
    case 'read-state':
      return done({ data: ready().readState(request.name) })
    case 'write-state':
      ready().writeState(request.name, request.data)
      return done()
    case 'reset-state':
      ready().resetState(request.name)
      return done()
  }
}

const toSent = (error: unknown): SentError =>
  isQuernError(error)
    ? { code: error.code, message: error.message.replace(`[${error.code}] `, ''), details: error.details }
    : {
        code: 'run/trap',
        message: `the run failed in its worker: ${error instanceof Error ? error.message : String(error)}`,
        details: {},
      }

answer(async (call: Call) => {
  try {
    return await handle(call)
  } catch (error) {
    return { reply: { id: call.id, ok: false, error: toSent(error) }, transfer: [] }
  }
})
