/** @file Runs a bundle in a worker thread of its own and waits for its reply, for as long as it may take. */
import { Worker } from 'node:worker_threads'
import { QuernError } from '@quern/artifact'
import type { PackageImport } from './bundle.ts'
import { failureOf } from './failure.ts'
import { extension, type ownPackages } from './packages.ts'
import { workerArguments } from './source-loader.ts'
import type { CompileSettings, Data, EvaluatedProgram, Failure } from './types.ts'

export interface WorkerRequest {
  /** The model file, as the user knows it. */
  readonly file: string
  /** URL of the bundle. */
  readonly bundle: string
  readonly own: Readonly<Record<keyof typeof ownPackages, string>>
  /** Names that the bundle takes from packages: one that does not exist is found among them. */
  readonly imports: readonly PackageImport[]
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
      readonly notData: readonly { readonly exportName: string; readonly is: string }[]
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

export const runInThread = (request: WorkerRequest, timeout: number, { worker, broke }: Thread): Promise<WorkerReply> =>
  new Promise(done => {
    const finish = (reply: WorkerReply): void => {
      clearTimeout(timer)
      worker.removeAllListeners()
      // A model that left a timer or a server running must not keep its thread alive.
      void worker.terminate().then(() => done(reply))
    }
    const timer = setTimeout(
      () =>
        finish(
          failed(
            new QuernError(
              'model/timeout',
              `${request.file} took more than ${timeout} ms to evaluate and compile: raise \`timeout\` if it needs that long`,
              { timeout },
            ),
          ),
        ),
      timeout,
    )
    worker.ref()
    worker.postMessage(request)
    worker.on('message', (reply: WorkerReply) => finish(reply))
    void broke.then(error =>
      finish(failed(new QuernError('evaluate/worker', `the evaluation worker failed: ${error.message}`, {}, error))),
    )
    worker.on('exit', code =>
      finish(
        failed(
          new QuernError(
            'model/exited',
            `${request.file} ended its thread with exit code ${code} while it was evaluated`,
            {
              exitCode: code,
            },
          ),
        ),
      ),
    )
  })
