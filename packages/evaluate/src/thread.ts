/** @file Runs a bundle in a worker thread of its own and waits for its reply, for as long as it may take. */
import { Worker } from 'node:worker_threads'
import { QuernError } from '@quern/artifact'
import type { Span } from '@quern/core-ir'
import type { PackageImport } from './bundle.ts'
import { failureOf } from './failure.ts'
import type { Phase, Progress } from './progress.ts'
import { extension, type ownPackages } from './packages.ts'
import { workerArguments } from './source-loader.ts'
import type { CompileSettings, Data, EvaluatedProgram, Failure, NotData } from './types.ts'
import { lineRunning } from './whereabouts.ts'

export interface WorkerRequest {
  /** The model file, as the user knows it. */
  readonly file: string
  /** URL of the bundle. */
  readonly bundle: string
  readonly own: Readonly<Record<keyof typeof ownPackages, string>>
  /** Names that the bundle takes from packages: one that does not exist is found among them. */
  readonly imports: readonly PackageImport[]
  /** Where the model file names what it exports. */
  readonly exports: Readonly<Record<string, Span>>
  /** The user's own modules, for stacks. */
  readonly files: readonly string[]
  readonly compile: CompileSettings
  readonly overrideTargets: boolean
  readonly stages: boolean
}

export type WorkerReply =
  | {
      readonly ok: true
      readonly programs: readonly EvaluatedProgram[]
      readonly exports: Readonly<Record<string, Data>>
      readonly notData: readonly NotData[]
      readonly unexported: readonly Failure[]
      /** Files that turned out to be read. */
      readonly read: readonly string[]
    }
  | { readonly ok: false; readonly failure: Failure; readonly read: readonly string[] }

const failed = (error: QuernError): WorkerReply => ({ ok: false, failure: failureOf(error), read: [] })

/** What a thread is started with. The request follows when it is known: loading the compiler takes longer than bundling. */
export interface WorkerStart {
  /** Whether to load this package's own compiler before there is a request. */
  readonly preload: boolean
}

/** A thread that waits for one request, and keeps no process alive while it does. */
export interface Thread {
  readonly worker: Worker
  /** What it broke by, also where nobody was listening yet. */
  readonly broke: Promise<Error>
}

export const startThread = (start: WorkerStart = { preload: true }): Thread => {
  const worker = new Worker(new URL(`./worker${extension}`, import.meta.url), {
    workerData: start,
    execArgv: workerArguments(),
  })
  worker.unref()
  const broke = new Promise<Error>(settle => {
    worker.once('error', settle)
    worker.once('exit', code => settle(new Error(`it ended with exit code ${code}`)))
  })
  return { worker, broke }
}

/** What the thread posts: what it does now, and in the end its reply. */
export type WorkerMessage = { readonly phase: Phase } | { readonly reply: WorkerReply }

export interface RunOptions {
  readonly timeout: number
  /** Ends the thread. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** Source map of the bundle. */
  readonly map: string
}

/** When whoever waits is told for the first time; then each time the wait has doubled. */
const firstWord = 5000

export const runInThread = (
  request: WorkerRequest,
  { timeout, signal, onProgress, map }: RunOptions,
  { worker, broke }: Thread,
): Promise<WorkerReply> =>
  new Promise(done => {
    const { file, files } = request
    const started = performance.now()
    let phase: Phase = { doing: 'evaluating' }
    let finished = false
    const at = async (): Promise<Span | undefined> =>
      phase.doing === 'evaluating'
        ? lineRunning(worker, { url: request.bundle, map }, files).catch(() => undefined)
        : undefined

    const finish = (reply: WorkerReply): void => {
      if (finished) return
      finished = true
      clearTimeout(timer)
      clearTimeout(wordTimer)
      signal?.removeEventListener('abort', cancel)
      worker.removeAllListeners()
      // A model that left a timer or a server running must not keep its thread alive.
      void worker.terminate().then(() => done(reply))
    }
    const cancel = (): void =>
      finish(failed(new QuernError('model/cancelled', `the evaluation of ${file} was cancelled`, {})))
    const tooLong = async (): Promise<void> => {
      const origin = await at()
      const was =
        phase.doing === 'compiling'
          ? `compiling ${phase.program} for ${phase.target} was not done: raise \`timeout\` if the model is that large`
          : `the file itself was still running${origin === undefined ? '' : ', here'}: does it loop for ever? Raise \`timeout\` if it needs that long`
      finish(
        failed(
          new QuernError('model/timeout', `${file} took more than ${timeout} ms to evaluate and compile, and ${was}`, {
            timeout,
            origin,
          }),
        ),
      )
    }
    const timer = setTimeout(() => void tooLong(), timeout)
    const word = async (): Promise<void> => {
      const span = await at()
      if (finished) return
      const ms = performance.now() - started
      onProgress?.({ file, ms, phase, ...(span === undefined ? {} : { at: span }) })
      wordTimer = setTimeout(() => void word(), ms)
    }
    let wordTimer = onProgress && setTimeout(() => void word(), firstWord)
    if (signal?.aborted === true) return cancel()
    signal?.addEventListener('abort', cancel)

    worker.ref()
    worker.postMessage(request)
    worker.on('message', (message: WorkerMessage) => {
      if ('phase' in message) ({ phase } = message)
      else finish(message.reply)
    })
    void broke.then(error =>
      finish(failed(new QuernError('evaluate/worker', `the evaluation worker failed: ${error.message}`, {}, error))),
    )
    worker.on('exit', code =>
      finish(
        failed(
          new QuernError('model/exited', `${file} ended its thread with exit code ${code} while it was evaluated`, {
            exitCode: code,
          }),
        ),
      ),
    )
  })
