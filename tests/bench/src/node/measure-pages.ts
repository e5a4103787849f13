/** @file Opens a page for every workload and number of threads, one after the other. */
import type { Browser } from 'playwright-core'
import type { PageResult } from '../page/results.ts'
import type { Options } from './options.ts'
import type { Progress } from './progress.ts'
import type { Served } from './serve.ts'

/** Longer than any workload takes; a page that hangs is told from one that is slow. */
const patience = 600_000
/** The first page of a browser has more going on beside it. */
const settle = { first: 4000, later: 1000 }

export const measurePages = async (
  browser: Browser,
  served: Served,
  { workloads, threads, peers, rounds }: Options,
  progress: Progress,
): Promise<readonly PageResult[]> => {
  const results: PageResult[] = []
  const tasks = threads.flatMap(t => workloads.map(workload => ({ workload: workload.name, threads: t })))
  for (const [i, task] of tasks.entries()) {
    const context = await browser.newContext()
    const head = `[${i + 1}/${tasks.length}] ${task.workload}, ${task.threads} ${task.threads === 1 ? 'thread' : 'threads'}`
    progress.say(head)
    try {
      const page = await context.newPage()
      page.on('pageerror', error => progress.say(`${head}: ${error.message}`))
      const query = new URLSearchParams({
        workload: task.workload,
        threads: String(task.threads),
        rounds: String(rounds),
        peers: peers.join(','),
        settle: String(i === 0 ? settle.first : settle.later),
      })
      await page.goto(`${served.url}?${query}`)
      const until = Date.now() + patience
      for (;;) {
        const [said, result, failure] = await page.evaluate(
          () => [window.progress, window.result, window.failure] as const,
        )
        if (result !== undefined) {
          results.push(result)
          break
        }
        if (failure !== undefined) throw new Error(`${head}: ${failure}`)
        if (Date.now() > until) throw new Error(`${head}: nothing after ${patience / 1000} s; last was ${said}`)
        progress.say(`${head}: ${said ?? 'loads'}`)
        await new Promise(done => setTimeout(done, 500))
      }
    } finally {
      await context.close()
    }
  }
  progress.end()
  return results
}
