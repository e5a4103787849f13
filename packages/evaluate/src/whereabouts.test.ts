/** @file Asking a thread where it is leaves it as it was, whatever it does meanwhile: it runs on, and it can be ended. */
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { lineRunning } from './whereabouts.ts'

const bundle = { url: 'file:///bundle.mjs', map: '{"version":3,"sources":[],"names":[],"mappings":""}' }
const start = (code: string): Worker => new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
const wait = (ms: number): Promise<void> => new Promise(r => setTimeout(r, ms))

it.each([
  ['loops', 'for (;;);'],
  ['is idle', 'setTimeout(() => {}, 1e9)'],
  ['works in turns', 'setInterval(() => { let i = 0; while (i < 1e6) i++ }, 1)'],
  ['waits in a native function', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'],
  ['ends by itself', 'await new Promise(r => setTimeout(r, 150))'],
])('of a thread that %s', async (_, code) => {
  for (const delay of [0, 20, 120]) {
    const worker = start(code)
    const asked = [0, 30].map(async ms => {
      await wait(ms)
      return lineRunning(worker, bundle, [])
    })
    await wait(delay)
    await worker.terminate()
    expect(await Promise.all(asked)).toEqual([undefined, undefined])
  }
})

it('runs on afterwards', async () => {
  const worker = start(
    `import { parentPort } from 'node:worker_threads'; setInterval(() => parentPort.postMessage('here'), 5)`,
  )
  await wait(200)
  await Promise.all([1, 2, 3].map(() => lineRunning(worker, bundle, [])))
  await new Promise(heard => worker.once('message', heard))
  await worker.terminate()
})
