/** @file From results to rows: rates, shares, ratios, and who won. */
import type { Outcome, PageResult } from '../page/results.ts'
import { peerTitles, rivals } from '../peers/names.ts'
import type { Workload } from '../workloads/workload.ts'

export interface Row {
  readonly workload: Workload
  readonly result: PageResult
  readonly ours: Outcome | undefined
  /** The fastest library that is right, other than ours. */
  readonly best: { readonly id: string; readonly ms: number } | undefined
  /** How many times as fast as that one we are. */
  readonly ratio: number | undefined
}

export const rowsOf = (
  workloads: readonly Workload[],
  results: readonly PageResult[],
  threads: number,
): readonly Row[] =>
  workloads.flatMap(workload => {
    const result = results.find(r => r.workload === workload.name && r.threads === threads)
    if (result === undefined) return []
    const ours = result.outcomes['quern']
    const [best] = rivals
      .flatMap(id => {
        const outcome = result.outcomes[id]
        return outcome?.kind === 'timed' ? [{ id, ms: outcome.median }] : []
      })
      .sort((a, b) => a.ms - b.ms)
    const ratio = best !== undefined && ours?.kind === 'timed' ? best.ms / ours.median : undefined
    return [{ workload, result, ours, best, ratio }]
  })

export const milliseconds = (x: number): string =>
  x < 0.1 ? x.toFixed(4) : x < 1 ? x.toFixed(3) : x < 10 ? x.toFixed(2) : x < 100 ? x.toFixed(1) : x.toFixed(0)
export const times = (x: number): string => `${x.toFixed(x < 10 ? 2 : 1)} ×`
const scientific = (x: number): string => (x === 0 ? '0' : x.toExponential(1))

const cell = (outcome: Outcome | undefined): string => {
  if (outcome === undefined) return ''
  if (outcome.kind === 'timed') return milliseconds(outcome.median)
  return outcome.kind === 'wrong' ? `wrong by ${scientific(outcome.error)}` : 'fails'
}
const rate = ({ workload, ours }: Row): string =>
  ours?.kind === 'timed'
    ? `${(workload.cost.amount / ours.median / 1e6).toFixed(1)} ${workload.cost.kind === 'flops' ? 'GFLOP/s' : 'GB/s'}`
    : ''
const share = ({ workload, ours, result }: Row): string =>
  ours?.kind === 'timed' ? `${(((workload.cost.amount / ours.median) * 1e5) / result.peak).toFixed(0)} %` : ''

/** Header and cells; columns of who did not take part are left out. */
export const tableOf = (
  rows: readonly Row[],
  native: Readonly<Record<string, number>>,
): readonly (readonly string[])[] => {
  const present = Object.keys(peerTitles).filter(id => rows.some(r => r.result.outcomes[id] !== undefined))
  const others = present.filter(id => id !== 'quern')
  const withOurs = present.includes('quern')
  return [
    [
      'ms',
      ...(withOurs ? ['Quern', 'rate', 'of peak'] : []),
      ...others.map(id => peerTitles[id] ?? id),
      ...(withOurs && others.some(o => rivals.includes(o)) ? ['faster than the best peer'] : []),
      ...(withOurs && others.includes('hand') ? ['of hand-written'] : []),
      ...(withOurs ? ['error'] : []),
      'native',
    ],
    ...rows.map(row => {
      const { workload, result, ours, ratio } = row
      const hand = result.outcomes['hand']
      return [
        workload.title,
        ...(withOurs ? [cell(ours), rate(row), share(row)] : []),
        ...others.map(id => cell(result.outcomes[id])),
        ...(withOurs && others.some(o => rivals.includes(o)) ? [ratio === undefined ? '' : times(ratio)] : []),
        ...(withOurs && others.includes('hand')
          ? [
              hand?.kind === 'timed' && ours?.kind === 'timed'
                ? `${((hand.median / ours.median) * 100).toFixed(0)} %`
                : '',
            ]
          : []),
        ...(withOurs ? [ours !== undefined && ours.kind !== 'failed' ? scientific(ours.error) : ''] : []),
        milliseconds(native[workload.name] ?? NaN),
      ]
    }),
  ]
}

/** Sentences on everything that a reader should not have to find in the table. */
export const troubles = (rows: readonly Row[], failures: ReadonlyMap<string, string>): readonly string[] =>
  rows.flatMap(({ workload, result }) =>
    Object.entries(result.outcomes).flatMap(([id, outcome]) => {
      const who = `${workload.title}, ${result.threads === 1 ? '1 thread' : `${result.threads} threads`}: ${peerTitles[id] ?? id}`
      if (outcome.kind === 'wrong')
        return [
          `${who} is wrong by ${scientific(outcome.error)} of the largest element (${scientific(workload.tolerance)} is allowed)`,
        ]
      if (outcome.kind === 'failed')
        return [`${who} fails: ${(id === 'quern' ? failures.get(workload.name) : undefined) ?? outcome.message}`]
      return []
    }),
  )
