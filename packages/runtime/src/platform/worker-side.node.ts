/** @file A Node worker thread's side of the conversation. */
import { parentPort } from 'node:worker_threads'
import type { Call, Reply } from '../wasm/messages.ts'

export const answer = (handle: (call: Call) => Promise<{ reply: Reply; transfer: ArrayBuffer[] }>): void => {
  parentPort?.on('message', (call: Call) => {
    void handle(call).then(({ reply, transfer }) => parentPort?.postMessage(reply, transfer))
  })
}
