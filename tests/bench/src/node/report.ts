/** @file The text of BENCHMARKS.md, and what a partial run prints. */
import type { PageResult } from '../page/results.ts'
import { peerTitles } from '../peers/names.ts'
import type { Digits } from './digits.ts'
import type { Options } from './options.ts'
import type { BuiltPage } from './page-build.ts'
import type { Production } from './production.ts'
import { type Row, rowsOf, tableOf, times, troubles } from './table.ts'

/** What the measured pages gave. */
export interface Pages extends BuiltPage {
  readonly browser: string
  readonly results: readonly PageResult[]
}
export interface Report {
  readonly processor: string
  /** Processes that ran or waited to, on average over the minute before the start. */
  readonly load: number
  readonly options: Options
  readonly pages: Pages | undefined
  readonly production: Production | undefined
  readonly digits: Digits | undefined
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

interface Threaded {
  readonly threads: number
  readonly rows: readonly Row[]
}
const allRows = ({ workloads, threads }: Options, { results }: Pages): readonly Threaded[] =>
  threads.map(count => ({ threads: count, rows: rowsOf(workloads, results, count) }))

/** From this load on a reader has to know of it. */
const busy = 0.7
/** Closer than this, two medians of one run are equal. */
const tie = 0.98
const wins = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap(({ workload, ratio, best, result }) =>
    ratio !== undefined && best !== undefined && ratio < tie
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

const kilobytes = (n: number): string => `${(n / 1000).toFixed(n < 1e6 ? 1 : 0)} kB`
const megabytes = (n: number | undefined): string => (n === undefined ? '' : `${(n / 1e6).toFixed(0)} MB`)

const productionTable = ({ results }: Production): readonly (readonly string[])[] => [
  ['', 'code', 'weights', 'first result', 'peak memory'],
  ...results.map(r => [
    `${r.network}, ${peerTitles[r.library] ?? r.library}`,
    kilobytes(r.code),
    kilobytes(r.weights),
    `${r.ms.toFixed(0)} ms`,
    megabytes(r.memory),
  ]),
]

const digitsTable = ({ files }: Digits): readonly (readonly string[])[] => [
  ['', 'bytes', 'brotli'],
  ...files.map(f => [f.name, kilobytes(f.bytes), kilobytes(f.brotli)]),
]
const digitsSays = ({ fetched, compileMs, mobilenetMs }: Digits): string =>
  `One of the modules is fetched: loader, worker and module together are at most **${kilobytes(fetched)}** after brotli, weights apart. From the model file to all variants for wasm, cold, in a process of its own, on Node ${process.versions.node}: ${compileMs.toFixed(0)} ms; MobileNetV2, ${mobilenetMs.toFixed(0)} ms.`

export const consoleText = ({ options, pages, production, digits }: Report): string => {
  const parts: string[] = []
  if (pages !== undefined) {
    const all = allRows(options, pages)
    for (const { threads, rows } of all)
      parts.push(`${threadsText(threads)}\n${plainTable(tableOf(rows, pages.native))}`)
    parts.push(...all.flatMap(({ rows }) => troubles(rows, pages.failures)))
  }
  if (production !== undefined) parts.push(plainTable(productionTable(production)), ...production.failures)
  if (digits !== undefined) parts.push(plainTable(digitsTable(digits)), digitsSays(digits))
  return parts.join('\n\n')
}

const digitsText = (digits: Digits): string => `
## The digits model in a production build

${markdownTable(digitsTable(digits))}

${digitsSays(digits)}
`

const pagesText = (options: Options, pages: Pages): string => {
  const all = allRows(options, pages)
  const tables = all.map(
    ({ threads, rows }) =>
      `## ${threadsText(threads)}\n\n${markdownTable(tableOf(rows, pages.native))}\n\nArithmetic peak in this run: ${peaks(rows)}.`,
  )
  const won = list(
    all.flatMap(({ rows }) => wins(rows)),
    'Nowhere in this run.',
  )
  const trouble = list(
    all.flatMap(({ rows }) => troubles(rows, pages.failures)),
    'Everything ran, and everything was right.',
  )
  return `${tables.join('\n\n')}

## Where a peer wins

${won}

## What did not work

${trouble}
`
}

const productionText = (production: Production): string => `
## Production builds

One app for each library and network, built by Vite, on a host that compresses with brotli and sends no special headers, so that nobody has threads. *First result*: from navigation, with an empty cache, over the loopback interface. *Peak memory*: of the page's process, less that of an empty page.

${markdownTable(productionTable(production))}
${production.failures.length === 0 ? '' : `\n${list(production.failures, '')}\n`}`

export const markdown = ({
  processor,
  load,
  options,
  pages,
  production,
  digits,
}: Report): string => `<!-- Written by \`npm run bench\`. -->
# Benchmarks

${processor}; ${pages?.browser ?? 'Chromium'}, headless, cross-origin isolated. Contestants alternate within one run, typed arrays in and typed arrays out: milliseconds, the median of ${options.rounds} samples, short runs batched. All have the same seeded weights, each in the form its users ship: onnxruntime-web the ONNX file as exported, tfjs channels last with batch norms folded, jax-js one \`jit\`; Quern decides by itself whether a model is worth a team of threads. Every output is compared with that of onnxruntime-node before anything is timed; *error* is Quern's largest difference to it, relative to the largest element. Absolute figures hold for this machine and this hour; ratios carry over.

*of peak*: share of what a register-only multiply-add loop (GFLOP/s) or a copy or sum over as many bytes (GB/s) reaches on the same page. *native*: onnxruntime-node, which is no WebAssembly and has wider vectors, on one thread.

${load < busy ? '' : `The machine had other work (load ${load.toFixed(1)} before the start): everything is slower than it would be, above all what needs several threads at once.\n\n`}${pages === undefined ? '' : pagesText(options, pages)}${production === undefined ? '' : productionText(production)}${digits === undefined ? '' : digitsText(digits)}`
