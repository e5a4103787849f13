/** @file Times of kernels as a table, the dearest first, with their shares of the total, beside what was predicted. */
import type { KernelTime } from '@quern/artifact'

/** What the stage `cost` says of a kernel: the least time that its work permits, the time of its schedule, and what decides it. */
export interface Forecast {
  readonly floor: number
  readonly predicted: number
  readonly bound: string
}

/** The forecasts for an entry in the text of the stage `cost`, by kernel; of several sizes, for the first. */
export const forecastsIn = (cost: string, entry: string): ReadonlyMap<string, Forecast> => {
  const lines = cost.split('\n')
  const start = lines.findIndex(line => line.startsWith(`${entry} at `) || line.startsWith(`${entry}, `))
  const [head = [], ...rest] = start < 0 ? [] : lines.slice(start + 1).map(line => line.split(/ {2,}/))
  const end = rest.findIndex(([first]) => first === 'all')
  const number = (row: readonly string[], name: string): number => Number(row[head.indexOf(name)])
  return new Map(
    rest.slice(0, Math.max(end, 0)).map(row => [
      row[0] ?? '',
      {
        floor: number(row, 'floor ms'),
        predicted: number(row, 'predicted ms'),
        bound: row[head.indexOf('bound by')] ?? '',
      },
    ]),
  )
}

/**
 * @param profiles of several runs; the table shows their mean
 * @param forecasts stand beside what was measured
 */
export const profileTable = (
  profiles: readonly (readonly KernelTime[])[],
  forecasts?: ReadonlyMap<string, Forecast>,
): string => {
  const sums = new Map<string, { ms: number; runs: number }>()
  for (const { kernel, ms, runs } of profiles.flat()) {
    const before = sums.get(kernel) ?? { ms: 0, runs: 0 }
    sums.set(kernel, { ms: before.ms + ms, runs: before.runs + runs })
  }
  const means = [...sums]
    .map(([kernel, { ms, runs }]) => ({ kernel, ms: ms / profiles.length, runs: runs / profiles.length }))
    .sort((a, b) => b.ms - a.ms)
  const total = means.reduce((sum, { ms }) => sum + ms, 0)
  const beside = (kernel: string, ms: number): readonly string[] => {
    const f = forecasts?.get(kernel)
    return f === undefined
      ? []
      : [f.predicted.toFixed(4), f.floor.toFixed(4), ms === 0 ? '' : share(f.floor, ms), f.bound]
  }
  const known = means.filter(({ kernel }) => forecasts?.has(kernel) === true)
  const sum = (of: (f: Forecast) => number): number =>
    known.reduce((n, { kernel }) => n + of(forecasts?.get(kernel) ?? { floor: 0, predicted: 0, bound: '' }), 0)
  const rows = [
    ['kernel', 'calls', 'ms', 'share', ...(forecasts === undefined ? [] : forecastHeadings)],
    ...means.map(({ kernel, ms, runs }) => [
      kernel,
      spell(runs),
      ms.toFixed(4),
      share(ms, total),
      ...beside(kernel, ms),
    ]),
    [
      'all',
      spell(means.reduce((n, { runs }) => n + runs, 0)),
      total.toFixed(4),
      share(total, total),
      ...(forecasts === undefined
        ? []
        : [
            sum(f => f.predicted).toFixed(4),
            sum(f => f.floor).toFixed(4),
            share(
              sum(f => f.floor),
              total,
            ),
          ]),
    ],
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, i) => (i === 0 || i === 7 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const forecastHeadings = ['predicted ms', 'floor ms', 'of floor', 'bound by']

const spell = (calls: number): string => (Number.isInteger(calls) ? `${calls}` : calls.toFixed(1))
const share = (ms: number, total: number): string => `${(total === 0 ? 0 : (100 * ms) / total).toFixed(1)} %`
