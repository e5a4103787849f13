/** @file The roofline as a table. */
import type { TargetInfo } from '../target/target-info.ts'
import { type KernelRoofline, levelName } from './roofline.ts'

/** What the figures are divided by. */
export const printMachine = ({ speed, cacheBytes, core }: TargetInfo): string =>
  [
    `${speed.gflops} operations a nanosecond${core === undefined ? '' : ` at ${core.gigahertz} GHz`}`,
    ...cacheBytes.map(
      (bytes, i) => `${levelName(i, cacheBytes.length)} ${compact(bytes)}B at ${speed.cacheBandwidth[i]} GB/s`,
    ),
    `memory at ${speed.bandwidth} GB/s`,
  ].join(', ')

const headings = (levels: number): string[] => [
  'kernel',
  'calls',
  'operations',
  ...Array.from({ length: levels }, (_, i) => `${levelName(i, levels - 1)} bytes`),
  'op/byte',
  'floor ms',
  'predicted ms',
  'of floor',
  'bound by',
]

export const printRoofline = (rows: readonly KernelRoofline[]): string => {
  const sorted = [...rows].sort((a, b) => b.predicted - a.predicted)
  const sum = (of: (row: KernelRoofline) => number): number => rows.reduce((n, r) => n + of(r), 0)
  const levels = rows[0]?.bytes.length ?? 1
  const all = {
    kernel: 'all',
    calls: sum(r => r.calls),
    operations: sum(r => r.operations),
    bytes: Array.from({ length: levels }, (_, i) => sum(r => r.bytes[i] ?? 0)),
    intensity:
      sum(r => r.operations) /
      Math.max(
        1,
        sum(r => r.operations / Math.max(r.intensity, 1e-9)),
      ),
    floor: sum(r => r.floor),
    predicted: sum(r => r.predicted),
  }
  const cells = [...sorted, all].map(r => [
    r.kernel,
    compact(r.calls),
    compact(r.operations),
    ...r.bytes.map(compact),
    digits(r.intensity),
    digits(r.floor),
    digits(r.predicted),
    `${((100 * r.floor) / Math.max(r.predicted, 1e-12)).toFixed(0)} %`,
    'bound' in r ? r.bound : '',
  ])
  return columns([headings(levels), ...cells])
}

/** The first column to the left, numbers to the right, two spaces between. */
const columns = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(r => r[i]?.length ?? 0)))
  return rows
    .map(r =>
      r
        .map((cell, i) => (i === 0 || i === r.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const digits = (x: number): string => (x === 0 ? '0' : x >= 1000 ? x.toFixed(0) : `${Number(x.toPrecision(3))}`)

const compact = (x: number): string => {
  const [unit, by] = x >= 1e9 ? ['G', 1e9] : x >= 1e6 ? ['M', 1e6] : x >= 1e4 ? ['k', 1e3] : ['', 1]
  return `${Number((x / Number(by)).toPrecision(3))}${unit === '' ? '' : ` ${unit}`}`
}
