/** @file The page that is measured: one workload, one number of threads, everyone who takes part. */
import { peers } from '../peers/index.ts'
import type { Scene } from '../peers/contestant.ts'
import type { Weights } from '../networks/weights.ts'
import { workloads } from '../workloads/index.ts'
import { errorOf } from './judge.ts'
import { type Entered, measure, medianOf } from './measure.ts'
import { openPeak } from './peak.ts'
import type { Outcome, PageResult } from './results.ts'

declare global {
  interface Window {
    progress?: string
    result?: PageResult
    failure?: string
    /** Read by jax-js, as the build rewrote it: its workers cost more than they give where there is one thread. */
    benchThreads?: number
  }
}

const say = (text: string): void => {
  window.progress = text
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
/** Compilers and caches that a fresh page starts beside us are done by then. */
const settle = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))

const main = async (): Promise<void> => {
  const query = new URLSearchParams(location.search)
  const threads = Number(query.get('threads')),
    rounds = Number(query.get('rounds'))
  window.benchThreads = threads
  const workload = workloads.find(w => w.name === query.get('workload'))
  if (workload === undefined) throw new Error(`there is no workload ${query.get('workload')}`)
  const inputs = workload.inputs()
  let made: Weights | undefined
  const scene: Scene = { workload, inputs, threads, weights: () => (made ??= workload.weights()) }
  const judge = new Float32Array(await (await fetch(`expected/${workload.name}.bin`)).arrayBuffer())

  const outcomes: Record<string, Outcome> = {}
  const entered: Entered[] = []
  const errors = new Map<string, number>()
  for (const id of (query.get('peers') ?? '').split(',')) {
    say(`opens ${id}`)
    try {
      const contestant = await (await peers[id]?.())?.open(scene)
      if (contestant === undefined) continue
      const output = await contestant.run()
      const error = errorOf(contestant.judged?.(output) ?? output, judge)
      if (error > workload.tolerance) outcomes[id] = { kind: 'wrong', error }
      else {
        errors.set(id, error)
        entered.push({ id, contestant })
      }
    } catch (error) {
      outcomes[id] = { kind: 'failed', message: messageOf(error) }
    }
  }
  await settle(Number(query.get('settle')))
  const { kind, amount } = workload.cost
  say('peak')
  const peak = await openPeak(kind, amount, threads)
  const peaks: number[] = []
  const timed = await measure(entered, rounds, async round => {
    say(`round ${round + 1} of ${rounds}`)
    peaks.push(await peak.sample())
  })
  peak.close()
  for (const { id, median, best } of timed) outcomes[id] = { kind: 'timed', median, best, error: errors.get(id) ?? NaN }
  window.result = { workload: workload.name, threads, peak: medianOf(peaks), outcomes }
}
main().catch((error: unknown) => {
  window.failure = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error)
})
