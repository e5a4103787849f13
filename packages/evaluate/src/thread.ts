/** @file Runs a bundle in a worker thread of its own and waits for its reply, for as long as it may take. */
import { type Worker as Thread, Worker } from 'node:worker_threads'
import { makeFailure } from './failure.ts'
import { extension, type ownPackages } from './packages.ts'
import { workerArguments } from './source-loader.ts'
import type { CompileSettings, Data, EvaluatedProgram, Failure } from './types.ts'

export interface WorkerRequest {
  /** The model file, as the user knows it. */
  readonly file: string
  /** URL of the bundle. */
  readonly bundle: string
  readonly own: Readonly<Record<keyof typeof ownPackages, string>>
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

const failed = (
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  stack = '',
): WorkerReply => ({
  ok: false,
  failure: makeFailure({ code, message }, details, stack),
  read: [],
})

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
            'model/timeout',
            `${request.file} took more than ${timeout} ms to evaluate and compile; raise \`timeout\` if it needs that long`,
            { timeout },
          ),
        ),
      timeout,
    )
    thread.on('message', (reply: WorkerReply) => finish(reply))
    thread.on('error', (error: Error) =>
      finish(failed('evaluate/worker', `the evaluation worker failed: ${error.message}`, {}, error.stack)),
    )
    thread.on('exit', code =>
      finish(
        failed('model/exited', `${request.file} ended its process with exit code ${code} while it was evaluated`, {
          exitCode: code,
        }),
      ),
    )
  })
