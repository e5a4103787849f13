/** @file A browser worker's side of the conversation. */
import type { Call, Reply } from '../wasm/messages.ts'

export const answer = (handle: (call: Call) => Promise<{ reply: Reply; transfer: ArrayBuffer[] }>): void => {
  addEventListener('message', event => {
    void handle(event.data as Call).then(({ reply, transfer }) =>
      (globalThis as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }).postMessage(
        reply,
        transfer,
      ),
    )
  })
}
