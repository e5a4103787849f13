/** @file Runs a bundle in a worker thread of its own and waits for its reply, for as long as it may take. */
import { type Worker as Thread, Worker } from 'node:worker_threads'
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

export const runInThread = (request: WorkerRequest, timeout: number): Promise<WorkerReply> =>
  new Promise(done => {
    const thread: Thread = new Worker(new URL(`./worker${extension}`, import.meta.url), {
      workerData: request,
      execArgv: workerArguments(),
    })
    const finish = (reply: WorkerReply): void => {
      clearTimeout(timer)
      thread.removeAllListeners()
      // A model that left a timer or a server running must not keep its thread alive.
      void thread.terminate().then(() => done(reply))
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
    thread.on('message', (reply: WorkerReply) => finish(reply))
    thread.on('error', (error: Error) =>
      finish(failed(new QuernError('evaluate/worker', `the evaluation worker failed: ${error.message}`, {}, error))),
    )
    thread.on('exit', code =>
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
