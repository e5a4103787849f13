/** @file A wasm instance on the caller's thread: no hand-over at all, for plans that take microseconds. */
import { type WasmImage, type WasmHost } from './host.ts'
import { type WasmInstance, instantiate, makeMemory } from './instance.ts'
import { answerRequest } from './messages.ts'

export const callerHost = async ({ manifest, module, weights }: WasmImage): Promise<WasmHost> => {
  let instance: WasmInstance | undefined = await instantiate({
    manifest,
    module,
    weights,
    memory: makeMemory(manifest),
    teamSize: 1,
  })
  return {
    thread: 'caller',
    threads: 1,
    call: async request => {
      if (instance === undefined) throw new Error('the instance was dropped')
      return answerRequest(instance, request)
    },
    terminate: () => {
      instance = undefined
    },
  }
}
