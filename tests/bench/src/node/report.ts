/** @file The text of BENCHMARKS.md, and what a partial run prints. */
import type { PageResult } from '../page/results.ts'
import { peerTitles } from '../peers/names.ts'
import type { Options } from './options.ts'
import { type Row, rowsOf, tableOf, times, troubles } from './table.ts'

export interface Report {
  readonly processor: string
  readonly browser: string
  readonly options: Options
  readonly results: readonly PageResult[]
  /** Milliseconds of onnxruntime-node on one thread. */
  readonly native: Readonly<Record<string, number>>
  readonly failures: ReadonlyMap<string, string>
}

const threadsText = (n: number): string => (n === 1 ? '1 thread' : `${n} threads`)
const markdownTable = ([head = [], ...rows]: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map(cells => `| ${cells.map(c => c.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)
    .join('\n')

const plainTable = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(r => (r[i] ?? '').length)))
  return rows
    .map(r => r.map((c, i) => (i === 0 ? c.padEnd(widths[i] ?? 0) : c.padStart(widths[i] ?? 0))).join('  '))
    .join('\n')
}

const allRows = ({
  options,
  results,
}: Report): readonly { readonly threads: number; readonly rows: readonly Row[] }[] =>
  options.threads.map(threads => ({ threads, rows: rowsOf(options.workloads, results, threads) }))

const wins = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap(({ workload, ratio, best, result }) =>
    ratio !== undefined && best !== undefined && ratio < 1
      ? [
          `${workload.title}, ${threadsText(result.threads)}: ${peerTitles[best.id] ?? best.id} is ${times(1 / ratio)} as fast`,
        ]
      : [],
  )
const list = (lines: readonly string[], none: string): string =>
  lines.length === 0 ? none : lines.map(l => `* ${l.replaceAll('\n', ' ')}`).join('\n')

const peaks = (rows: readonly Row[]): string => {
  const flops = rows.filter(r => r.workload.cost.kind === 'flops').map(r => r.result.peak / 1e9)
  if (flops.length === 0) return ''
  const [low, high] = [Math.min(...flops), Math.max(...flops)]
  return `${low.toFixed(1)} to ${high.toFixed(1)} GFLOP/s`
}

export const consoleText = (report: Report): string =>
  allRows(report)
    .map(({ threads, rows }) => `${threadsText(threads)}\n${plainTable(tableOf(rows, report.native))}`)
    .concat(allRows(report).flatMap(({ rows }) => troubles(rows, report.failures)))
    .join('\n\n')

export const markdown = (report: Report): string => {
  const all = allRows(report)
  const { rounds } = report.options
  return `<!-- Written by \`npm run bench\`. -->
# Benchmarks

${report.processor}; ${report.browser}, headless, cross-origin isolated. Contestants alternate within one run, typed arrays in and typed arrays out: milliseconds, the median of ${rounds} samples, short runs batched. All have the same seeded weights, each in the form its users ship: onnxruntime-web the ONNX file as exported, tfjs channels last with batch norms folded, jax-js one \`jit\`. Every output is compared with that of onnxruntime-node before anything is timed; *error* is Quern's largest difference to it, relative to the largest element. Absolute figures hold for this machine and this hour; ratios carry over.

*of peak*: share of what a register-only multiply-add loop (GFLOP/s) or a copy or sum over as many bytes (GB/s) reaches on the same page. *native*: onnxruntime-node, which is no WebAssembly and has wider vectors, on one thread.

${all
  .map(
    ({ threads, rows }) => `## ${threadsText(threads)}

${markdownTable(tableOf(rows, report.native))}

Arithmetic peak in this run: ${peaks(rows)}.`,
  )
  .join('\n\n')}

## Where a peer wins

${list(
  all.flatMap(({ rows }) => wins(rows)),
  'Nowhere in this run.',
)}

## What did not work

${list(
  all.flatMap(({ rows }) => troubles(rows, report.failures)),
  'Everything ran, and everything was right.',
)}
`
}
