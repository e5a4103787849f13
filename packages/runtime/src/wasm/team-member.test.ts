/** @file A worker's calls are settled whatever becomes of it, and an idle worker keeps no process alive. */
import { type Mock, expect, test, vi } from 'vitest'
import type { WorkerPort } from '../platform/worker-port.ts'
import type { Call } from './messages.ts'
import { startMember } from './team-member.ts'

const ports = vi.hoisted(() => [] as FakePort[])
interface FakePort extends WorkerPort {
  readonly posted: Call[]
  readonly terminated: Mock
  alive: boolean
  say(message: unknown): void
  die(cause: unknown): void
}
vi.mock('#platform', () => ({
  spawnWorker: (): FakePort => {
    let receive: (message: unknown) => void = () => {}
    let fail: (cause: unknown) => void = () => {}
    const terminated = vi.fn()
    const port: FakePort = {
      posted: [],
      terminated,
      alive: false,
      post: message => void port.posted.push(message as Call),
      onMessage: f => (receive = f),
      onError: f => (fail = f),
      awaited: is => (port.alive = is),
      terminate: terminated,
      say: message => receive(message),
      die: cause => fail(cause),
    }
    ports.push(port)
    return port
  },
}))

const start = () => {
  const member = startMember()
  const port = ports.at(-1)
  if (port === undefined) throw new Error('no worker was started')
  return { member, port }
}
const answer = { outputs: [], data: undefined, returned: [], kernels: [], arena: 2, peak: 3 }

test('answers find their calls, in any order, and the process may end when none is awaited', async () => {
  const { member, port } = start()
  expect(port.alive).toBe(false)
  const first = member.call({ kind: 'join', entry: 'a', symbols: {} }),
    second = member.call({ kind: 'join', entry: 'b', symbols: {} })
  const [a, b] = port.posted
  expect(port.alive).toBe(true)
  port.say({ id: b?.id, ok: true, answer: { ...answer, arena: 5 } })
  expect(port.alive).toBe(true)
  port.say({ id: a?.id, ok: false, error: { code: 'run/trap', message: 'it trapped', details: { at: 3 } } })
  expect(port.alive).toBe(false)
  expect((await second).arena).toBe(5)
  await expect(first).rejects.toMatchObject({
    name: 'QuernError',
    code: 'run/trap',
    message: '[run/trap] it trapped',
    details: { at: 3 },
  })
})

test('a dead worker fails the calls that wait and those that come', async () => {
  const { member, port } = start()
  const waiting = member.call({ kind: 'join', entry: 'a', symbols: {} })
  port.die(new Error('out of memory'))
  const failed = { code: 'runtime/worker-failed', details: { reason: 'out of memory' } }
  await expect(waiting).rejects.toMatchObject(failed)
  await expect(member.call({ kind: 'join', entry: 'a', symbols: {} })).rejects.toMatchObject(failed)
  expect(port.posted).toHaveLength(1)
  expect(port.terminated).toHaveBeenCalledOnce()
  expect(port.alive).toBe(false)
})

test('a terminated worker says that the model was disposed', async () => {
  const { member, port } = start()
  const waiting = member.call({ kind: 'join', entry: 'a', symbols: {} })
  member.terminate()
  await expect(waiting).rejects.toMatchObject({ code: 'model/disposed' })
  expect(port.terminated).toHaveBeenCalledOnce()
})
