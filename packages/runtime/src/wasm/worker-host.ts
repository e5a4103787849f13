/**
 * @file A wasm instance in a worker, or in a team of workers over one shared memory. The first worker copies inputs and outputs
 * and leads; the others join each parallel run. A run in progress cannot be interrupted, only its result dropped.
 */
import { isQuernError, wasmHeader } from '@quern/artifact'
import { copyElements } from './copy-elements.ts'
import type { WasmHost, WasmImage } from './host.ts'
import { lending } from './lending.ts'
import type { Answer, Init, Request } from './messages.ts'
import { startMember } from './team-member.ts'

/** @param memory shared by a team; undefined for one worker, which makes its own */
export const workerHost = async (
  { manifest, module, weights }: WasmImage,
  teamSize: number,
  memory: WebAssembly.Memory | undefined,
): Promise<WasmHost> => {
  const team = Array.from({ length: memory === undefined ? 1 : teamSize }, startMember)
  const [leader, ...others] = team
  if (leader === undefined) throw new Error('a team has at least one member')
  const terminate = (): void => team.forEach(m => m.terminate())
  const init = (thread: number): Init => ({
    kind: 'init',
    manifest,
    module,
    memory,
    weights: thread === 0 ? weights : undefined,
    thread,
    teamSize: team.length,
  })
  try {
    // Each member is set up before any run, so a message to join meets an instance.
    await Promise.all(team.map((m, i) => m.call(init(i), i === 0 ? [weights.buffer] : [])))
  } catch (error) {
    terminate()
    throw error
  }

  const header = (): Int32Array | undefined => memory && new Int32Array(memory.buffer, 0, 16)
  /** Frees those who wait for a member that failed; plans look at this word wherever they wait. */
  const abort = (): void => {
    const words = header()
    if (words === undefined) return
    Atomics.store(words, wasmHeader.abort / 4, 1)
    Atomics.notify(words, wasmHeader.barrierEpoch / 4)
  }
  const lead = async (request: Request, transfer: readonly ArrayBuffer[]): Promise<Answer> => {
    const joined =
      request.kind === 'run' && manifest.entries[request.entry]?.wasm?.parallel === true
        ? others.map(m => m.call({ kind: 'join', entry: request.entry, symbols: request.symbols }))
        : []
    const all = [leader.call(request, transfer), ...joined]
    for (const member of all) member.catch(abort)
    const settled = await Promise.allSettled(all)
    const errors = settled.flatMap(s => (s.status === 'rejected' ? [s.reason as unknown] : []))
    if (errors.length > 0) {
      // Nobody is in the plan any more: the words are ready for the next run.
      const words = header()
      if (words !== undefined)
        for (const w of ['barrierCount', 'abort'] as const) Atomics.store(words, wasmHeader[w] / 4, 0)
      throw errors.find(e => !(isQuernError(e) && e.code === 'run/aborted')) ?? errors[0]
    }
    const [first] = settled
    if (first?.status !== 'fulfilled') throw new Error('a run without an answer')
    return first.value
  }
  const lent = lending()
  const run = async (request: Extract<Request, { kind: 'run' }>): Promise<Answer> => {
    const { into } = request
    const { inputs: given = [], outputs: taken = [] } = manifest.entries[request.entry] ?? {}
    const inputs = request.inputs.map((data, i) => lent.copy(given[i]?.dtype ?? 'u8', data))
    const targets = into?.map((data, i) => data && lent.take(taken[i]?.dtype ?? 'u8', data.length))
    const answer = await lead(
      { ...request, inputs, into: targets },
      [...inputs, ...(targets ?? [])].flatMap(a => (a === undefined ? [] : [a.buffer as ArrayBuffer])),
    )
    const home = answer.returned.map(a => a.buffer as ArrayBuffer)
    const outputs = answer.outputs.map((output, i) => {
      const target = into?.[i]
      if (target === undefined) return output
      copyElements(output.data, target)
      home.push(output.data.buffer as ArrayBuffer)
      return { shape: output.shape, data: target }
    })
    lent.keep(home)
    return { ...answer, outputs }
  }

  let tail: Promise<unknown> = Promise.resolve()
  return {
    thread: 'worker',
    threads: team.length,
    // In order, since a team that failed must leave the plan before the next run.
    call: request => {
      const answer = tail.then(() => (request.kind === 'run' ? run(request) : lead(request, [])))
      tail = answer.catch(() => {})
      return answer
    },
    terminate,
  }
}
