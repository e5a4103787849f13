/** @file The command line of `npm run bench`. */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { peerTitles } from '../peers/names.ts'
import { selected, workloads } from '../workloads/index.ts'
import type { Workload } from '../workloads/workload.ts'

export interface Options {
  readonly workloads: readonly Workload[]
  readonly peers: readonly string[]
  readonly rounds: number
  readonly threads: readonly number[]
  readonly production: boolean
  /** Everything, at enough rounds: only this is worth keeping in BENCHMARKS.md. */
  readonly complete: boolean
}

export const usage = `npm run bench -- [options]

  --only a,b       workloads or groups of them: ${[...new Set(workloads.flatMap(w => [w.group, w.name]))].join(', ')}
  --peers a,b      who takes part: ${Object.keys(peerTitles).join(', ')} (default: all)
  --rounds n       samples of each (default 20)
  --threads a,b    how many threads (default: 1 and the number of cores)
  --production     only the production builds: bytes, cold start, memory
  --no-production  without them

A complete run (no option but --rounds of at least 20) writes BENCHMARKS.md; any other prints to the console.`

const list = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(',').filter(part => part !== '')

const whole = (text: string, option: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${option} takes whole numbers from 1 on, not ${text}`)
  return value
}

export const readOptions = (args: readonly string[]): Options | 'help' => {
  const { values } = parseArgs({
    args: args.filter(a => a !== '--'),
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string', default: '20' },
      threads: { type: 'string' },
      production: { type: 'boolean' },
      'no-production': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return 'help'
  const unknown = list(values.peers).find(p => !(p in peerTitles))
  if (unknown !== undefined) throw new Error(`there is no peer ${unknown}: ${Object.keys(peerTitles).join(', ')}`)
  const rounds = whole(values.rounds, 'rounds')
  const partial = [values.only, values.peers, values.threads].some(v => v !== undefined)
  const cores = cpus().length
  return {
    workloads: values.production === true && values.only === undefined ? [] : selected(list(values.only)),
    peers: values.peers === undefined ? Object.keys(peerTitles) : list(values.peers),
    rounds,
    threads:
      values.threads === undefined ? [...new Set([1, cores])] : list(values.threads).map(t => whole(t, 'threads')),
    production: values.production === true || (!partial && values['no-production'] !== true),
    complete: !partial && rounds >= 20 && values.production !== true && values['no-production'] !== true,
  }
}
