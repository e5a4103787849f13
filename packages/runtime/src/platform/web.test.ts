/** @file The browser's workers, as the runtime starts and ends them. */
import { afterEach, expect, it, vi } from 'vitest'
import { spawnWorker } from './web.ts'

afterEach(() => vi.unstubAllGlobals())

it('starts a module worker, hands messages to and fro, and ends it', () => {
  const made: Fake[] = []
  class Fake extends EventTarget {
    readonly posted: unknown[] = []
    ended = false
    readonly options: unknown
    constructor(_url: URL, options: unknown) {
      super()
      this.options = options
      made.push(this)
    }
    postMessage(message: unknown): void {
      this.posted.push(message)
    }
    terminate(): void {
      this.ended = true
    }
  }
  vi.stubGlobal('Worker', Fake)
  const port = spawnWorker()
  const [worker] = made
  const heard: unknown[] = []
  port.onMessage(message => heard.push(message))
  port.onError(error => heard.push(error))
  port.post('hello')
  worker?.dispatchEvent(new MessageEvent('message', { data: 'answer' }))
  worker?.dispatchEvent(new MessageEvent('messageerror'))
  worker?.dispatchEvent(new Event('error'))
  expect(worker).toMatchObject({ options: { type: 'module' }, posted: ['hello'], ended: false })
  expect(heard).toEqual(['answer', 'a message could not be read', 'its file did not load'])
  port.terminate()
  expect(worker?.ended).toBe(true)
})
