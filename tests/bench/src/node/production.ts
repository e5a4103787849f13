/** @file Production builds of one app per library and network: bytes on the wire, time to the first result, memory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import quern from '@quern/vite-plugin'
import type { Browser } from 'playwright-core'
import { build } from 'vite'
import { errorOf } from '../page/judge.ts'
import { medianOf } from '../page/measure.ts'
import { writeWeights } from '../production/weights-file.ts'
import { mlp } from '../workloads/mlp.ts'
import { mobilenet } from '../workloads/mobilenet.ts'
import type { Inputs, Workload } from '../workloads/workload.ts'
import { openChromium } from './browser.ts'
import { judge } from './judge.ts'
import type { Progress } from './progress.ts'
import { type Sent, serveFolder } from './serve.ts'

export interface ProductionResult {
  readonly network: string
  readonly library: string
  /** Bytes after brotli: scripts and modules, and the model's weights. */
  readonly code: number
  readonly weights: number
  /** From navigation to the first result, of a browser that has nothing in its cache. */
  readonly ms: number
  /** Most memory that the page's process held, less what an empty page holds. Undefined where the system does not tell. */
  readonly memory: number | undefined
}

const samples = 7
const patience = 300_000
export const libraries = ['quern', 'ort', 'tfjs', 'jax'] as const
type Library = (typeof libraries)[number]

/** The network for half-grey images. */
const constantInput = (workload: Workload): Inputs =>
  Object.fromEntries(
    Object.entries(workload.inputs()).map(([name, { shape, data }]) => [
      name,
      { shape, data: new Float32Array(data.length).fill(0.5) },
    ]),
  )

const buildApp = async (root: string, out: string, library: Library, workload: Workload): Promise<void> => {
  const channelsLast = library === 'tfjs' && workload.tfjs.inputs !== undefined
  const given = constantInput(workload)
  const { x } = (channelsLast ? workload.tfjs.inputs?.(given) : undefined) ?? given
  const shape = x?.shape ?? []
  // One name for the forward function of any network.
  const facades: Readonly<Record<string, string>> = Object.fromEntries(
    (['tfjs', 'jax'] as const).map(id => [
      `\0measured-${id}`,
      `export { ${workload.name}${id === 'tfjs' ? 'Tfjs' : 'Jax'} as forward } from ${JSON.stringify(join(root, `src/forwards/${workload.name}.${id}.ts`))}`,
    ]),
  )
  const network: Readonly<Record<string, string>> = {
    quern: join(root, `src/models/${workload.name}.model.ts`),
    tfjs: '\0measured-tfjs',
    jax: '\0measured-jax',
  }
  await build({
    root,
    configFile: false,
    base: './',
    logLevel: 'error',
    define: { INPUT_SHAPE: JSON.stringify(shape) },
    plugins: [
      {
        name: 'measured-network',
        enforce: 'pre',
        resolveId: source => (source.startsWith('measured:') ? network[source.slice('measured:'.length)] : undefined),
        load: id => facades[id],
      },
      quern({ targets: ['wasm'] }),
    ],
    worker: { format: 'es' },
    build: {
      target: 'es2023',
      assetsInlineLimit: 0,
      outDir: out,
      emptyOutDir: true,
      chunkSizeWarningLimit: 100_000,
      rollupOptions: {
        input: join(root, `src/production/${library}.ts`),
        output: { entryFileNames: 'assets/index.js' },
      },
    },
  })
  writeFileSync(
    join(out, 'index.html'),
    '<!doctype html><meta charset="utf-8"><script type="module" src="./assets/index.js"></script>',
  )
  const weights = workload.weights()
  if (library === 'ort') writeFileSync(join(out, 'model.onnx'), workload.onnx(weights))
  if (library === 'tfjs' || library === 'jax')
    writeFileSync(join(out, 'model.bin'), writeWeights(workload[library].weights?.(weights) ?? weights))
}

/** The most that any process of pages has held, in bytes. Linux only. */
const peakMemory = async (browser: Browser): Promise<number | undefined> => {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as {
    readonly processInfo: readonly { readonly type: string; readonly id: number }[]
  }
  await session.detach()
  const peaks = processInfo
    .filter(p => p.type === 'renderer')
    .map(({ id }) => {
      try {
        return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) * 1024
      } catch {
        return NaN
      }
    })
    .filter(n => !Number.isNaN(n))
  return peaks.length === 0 ? undefined : Math.max(...peaks)
}

const emptyPage = async (): Promise<number | undefined> => {
  const browser = await openChromium()
  try {
    const page = await browser.newPage()
    await page.goto('data:text/html,<!doctype html>')
    return await peakMemory(browser)
  } finally {
    await browser.close()
  }
}

const isCode = ({ path }: Sent): boolean => /(?:\/|\.html|\.js|\.mjs|\.wasm)$/.test(path)
const sum = (sent: readonly Sent[]): number => sent.reduce((n, s) => n + s.bytes, 0)

const measureApp = async (
  out: string,
  workload: Workload,
  expected: Float32Array,
): Promise<Omit<ProductionResult, 'network' | 'library'>> => {
  // Not isolated: as most hosts serve, and nobody gets threads.
  const served = await serveFolder(out, { isolated: false, compressed: true })
  const browser = await openChromium()
  try {
    const times: number[] = []
    let sent: readonly Sent[] = []
    let memory: number | undefined
    for (let i = 0; i <= samples; i++) {
      const context = await browser.newContext()
      const page = await context.newPage()
      const errors: string[] = []
      page.on('pageerror', error => errors.push(error.message))
      served.taken()
      // The first answer waits for brotli at its best, which takes its time over a module of 14 MB.
      await page.goto(served.url, { waitUntil: 'commit', timeout: patience })
      await page
        .waitForFunction(() => window.first !== undefined, undefined, { timeout: patience })
        .catch((error: unknown) => {
          throw new Error(errors.join('\n') || String(error))
        })
      const first = await page.evaluate(() => window.first)
      const error = errorOf(Float32Array.from(first?.output ?? []), expected)
      if (error > workload.tolerance) throw new Error(`the first result is wrong by ${error.toExponential(1)}`)
      // The first compresses what the others are sent at once.
      if (i > 0) times.push(first?.ms ?? NaN)
      if (i === 1) memory = await peakMemory(browser)
      sent = served.taken()
      await context.close()
    }
    return {
      code: sum(sent.filter(isCode)),
      weights: sum(sent.filter(s => !isCode(s) && !s.path.endsWith('.ico'))),
      ms: medianOf(times),
      memory,
    }
  } finally {
    await browser.close()
    await served[Symbol.asyncDispose]()
  }
}

export interface Production {
  readonly results: readonly ProductionResult[]
  readonly failures: readonly string[]
}

export const measureProduction = async (root: string, progress: Progress): Promise<Production> => {
  const results: ProductionResult[] = [],
    failures: string[] = []
  const empty = await emptyPage()
  for (const workload of [mlp, mobilenet]) {
    const folder = mkdtempSync(join(tmpdir(), 'quern-bench-'))
    try {
      const onnx = join(folder, 'model.onnx')
      writeFileSync(onnx, workload.onnx(workload.weights()))
      const { output } = await judge(onnx, { ...workload, inputs: () => constantInput(workload) })
      for (const library of libraries) {
        progress.say(`production build of ${workload.name} with ${library}`)
        try {
          const out = join(folder, library)
          await buildApp(root, out, library, workload)
          const { memory, ...measured } = await measureApp(out, workload, output)
          results.push({
            network: workload.name,
            library,
            ...measured,
            memory: memory === undefined || empty === undefined ? undefined : memory - empty,
          })
        } catch (error) {
          failures.push(
            `${workload.title} with ${library}: ${stripVTControlCharacters(error instanceof Error ? error.message : String(error))}`,
          )
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  progress.end()
  return { results, failures }
}
