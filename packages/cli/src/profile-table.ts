/** @file Times of kernels as a table, the dearest first, with their shares of the total. */
import type { KernelTime } from '@quern/artifact'

/** @param profiles of several runs; the table shows their mean */
export const profileTable = (profiles: readonly (readonly KernelTime[])[]): string => {
  const sums = new Map<string, { ms: number; runs: number }>()
  for (const { kernel, ms, runs } of profiles.flat()) {
    const before = sums.get(kernel) ?? { ms: 0, runs: 0 }
    sums.set(kernel, { ms: before.ms + ms, runs: before.runs + runs })
  }
  const means = [...sums]
    .map(([kernel, { ms, runs }]) => ({ kernel, ms: ms / profiles.length, runs: runs / profiles.length }))
    .sort((a, b) => b.ms - a.ms)
  const total = means.reduce((sum, { ms }) => sum + ms, 0)
  const rows = [
    ['kernel', 'calls', 'ms', 'share'],
    ...means.map(({ kernel, ms, runs }) => [kernel, spell(runs), ms.toFixed(4), share(ms, total)]),
    ['all', spell(means.reduce((sum, { runs }) => sum + runs, 0)), total.toFixed(4), share(total, total)],
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .join('\n')
}

const spell = (calls: number): string => (Number.isInteger(calls) ? `${calls}` : calls.toFixed(1))
const share = (ms: number, total: number): string => `${(total === 0 ? 0 : (100 * ms) / total).toFixed(1)} %`
