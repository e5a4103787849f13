/** @file Forks of one wasm host: a fork that goes is dropped there, and the host ends with the last of them. */
import { expect, it } from 'vitest'
import { wasmExecutor } from './executor.ts'
import type { Answer, Request } from './messages.ts'
import { bareManifest } from '../testing/bare-manifest.ts'

const answer: Answer = { outputs: [], data: undefined, returned: [], kernels: [], arena: 0, peak: 0 }

const hosted = () => {
  const log: string[] = []
  const call = (request: Request): Promise<Answer> => {
    log.push(`${request.kind} ${request.fork}`)
    return Promise.resolve(answer)
  }
  const terminate = (): void => void log.push('terminate')
  return { log, executor: wasmExecutor(bareManifest, { thread: 'caller', threads: 1, call, terminate }) }
}
const idle = Promise.resolve()

it('drops each fork when its runs have ended, and terminates the host with the last', async () => {
  const { log, executor } = hosted()
  const [one, two] = [await executor.fork(), await executor.fork()]
  await one.resetState()
  let end = (): void => {}
  const going = one.dispose(new Promise<void>(resolve => (end = resolve)))
  await executor.dispose(idle)
  expect(log).toEqual(['reset-state 1', 'drop-fork 0'])
  end()
  await going
  expect(log.splice(0)).toEqual(['reset-state 1', 'drop-fork 0', 'drop-fork 1'])
  await two.dispose(idle)
  expect(log).toEqual(['terminate'])
})

it('does not ask a host that has ended', async () => {
  const { log, executor } = hosted()
  const fork = await executor.fork()
  await Promise.all([fork.dispose(idle), executor.dispose(idle)])
  expect(log).toEqual(['terminate'])
})
