/** @file Tests only: a team of Node workers that run one entry of a threaded module together, many times. */
import { Worker } from 'node:worker_threads'

export interface TeamJob {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly entry: string
  readonly runs: number
  /** JavaScript of a function `(memory, run) => void` that worker 0 calls before each run, and of one it calls after it. */
  readonly before: string
  readonly after: string
}

const member = `
const { workerData: { module, memory, entry, runs, before, after, thread }, parentPort } = require('node:worker_threads')
WebAssembly.instantiate(module, { env: { memory } }).then(({ exports }) => {
  const prepare = eval(before), check = eval(after)
  const statuses = new Set()
  let wrong = 0
  for (let run = 0; run < runs; run++) {
    if (thread === 0) prepare(memory, run)
    statuses.add(exports[entry](thread))
    if (thread === 0 && !check(memory, run)) wrong++
  }
  parentPort.postMessage({ statuses: [...statuses], wrong })
})`

export interface MemberResult {
  readonly statuses: readonly number[]
  readonly wrong: number
}

/** Runs the job on so many members; returns what each saw. */
export const runTeam = (job: TeamJob, threads: readonly number[]): Promise<readonly MemberResult[]> =>
  Promise.all(
    threads.map(
      thread =>
        new Promise<MemberResult>((resolve, reject) => {
          const worker = new Worker(member, { eval: true, workerData: { ...job, thread } })
          worker.once('message', (result: MemberResult) => {
            resolve(result)
            void worker.terminate()
          })
          worker.once('error', reject)
        }),
    ),
  )
