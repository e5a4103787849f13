/**
 * @file Where a thread is at the moment, also one that loops for ever and answers no message: the inspector pauses it for the time
 * that reading its stack takes.
 */
import { SourceMap, type SourceMapPayload } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import type { Span } from '@quern/core-ir'

/** A bundle that a thread runs: its URL, and its source map. */
export interface RunningBundle {
  readonly url: string
  readonly map: string
}

/** What the inspector says, as far as it is asked. */
interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly scriptId?: string
    readonly url?: string
    readonly callFrames?: readonly {
      readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number }
    }[]
  }
}

/** How long a thread may take to stop; one in a native function does not. */
const patience = 2000
const released = 3

/** The innermost line of `files` that the thread runs; nothing where it runs none, or where this Node has no inspector. */
export const lineRunning = async (
  { threadId }: Worker,
  { url, map }: RunningBundle,
  files: readonly string[],
): Promise<Span | undefined> => {
  const { Session } = await import('node:inspector')
  const session = new Session()
  session.connect()
  const urls = new Map<string, string>()
  const frames = await new Promise<NonNullable<NonNullable<Reply['params']>['callFrames']>>(done => {
    let sessionId: string | undefined
    let left = false
    const ask = (id: number, method: string): void =>
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) })
    const leave = (): void => {
      if (left) return
      left = true
      clearTimeout(timer)
      done([])
      session.disconnect()
    }
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      if (!new RegExp(`\\b${threadId}\\]$`).test(params.workerInfo.title)) return
      sessionId = params.sessionId
      ask(1, 'Debugger.enable')
      ask(2, 'Debugger.pause')
    })
    session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId: from, message } }) => {
      if (from !== sessionId) return
      const { id, method, params } = JSON.parse(message) as Reply
      if (method === 'Debugger.scriptParsed') urls.set(params?.scriptId ?? '', params?.url ?? '')
      if (method === 'Debugger.paused') {
        done(params?.callFrames ?? [])
        ask(released, 'Debugger.disable')
      }
      if (id === released) leave()
    })
    session.on('NodeWorker.detachedFromWorker', ({ params }) => params.sessionId === sessionId && leave())
    // A thread that is left paused waits for ever, and cannot even be ended: whoever gives up takes the wish back, and the session
    // stays until that was heard.
    const timer = setTimeout(() => {
      done([])
      ask(released, 'Debugger.disable')
    }, patience)
    timer.unref()
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, error => {
      if (error || sessionId === undefined) leave()
    })
  })
  const source = new SourceMap(JSON.parse(map) as SourceMapPayload)
  for (const { location } of frames) {
    if (urls.get(location.scriptId) !== url) continue
    const entry = source.findEntry(location.lineNumber, location.columnNumber ?? 0)
    if (!('originalSource' in entry) || !entry.originalSource.startsWith('file:')) continue
    const file = fileURLToPath(entry.originalSource)
    if (files.includes(file)) return { file, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }
  return undefined
}
