/** @file Builds the page that is measured, and puts beside it what the peers fetch and what the judge says. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'vite'
import type { Workload } from '../workloads/workload.ts'
import { judge } from './judge.ts'
import { jaxWithoutWorkers, measuredModels, wat } from './plugins.ts'
import type { Progress } from './progress.ts'

export interface BuiltPage {
  /** Milliseconds of onnxruntime-node on one thread, by workload. */
  readonly native: Readonly<Record<string, number>>
  /** What the compiler said, by model file. */
  readonly failures: ReadonlyMap<string, string>
}

const require = createRequire(import.meta.url)

export const buildPage = async (
  root: string,
  out: string,
  workloads: readonly Workload[],
  progress: Progress,
): Promise<BuiltPage> => {
  progress.say('builds the page')
  const failures = new Map<string, string>()
  await build({
    root,
    configFile: false,
    base: './',
    logLevel: 'error',
    plugins: [
      measuredModels(new Set(workloads.map(w => w.name)), (model, message) => failures.set(model, message)),
      jaxWithoutWorkers(),
      wat(),
    ],
    worker: { format: 'es', plugins: () => [wat()] },
    build: { target: 'es2023', assetsInlineLimit: 0, outDir: out, emptyOutDir: true, chunkSizeWarningLimit: 100_000 },
  })
  copyPeerFiles(out)
  const native: Record<string, number> = {}
  for (const folder of ['onnx', 'expected']) mkdirSync(join(out, folder))
  for (const [i, workload] of workloads.entries()) {
    progress.say(`[${i + 1}/${workloads.length}] the judge of ${workload.name}`)
    const file = join(out, 'onnx', `${workload.name}.onnx`)
    writeFileSync(file, workload.onnx(workload.weights()))
    const { output, ms } = await judge(file, workload)
    native[workload.name] = ms
    writeFileSync(join(out, 'expected', `${workload.name}.bin`), output)
  }
  return { native, failures }
}

/** What the peers load by themselves at run time. */
const copyPeerFiles = (out: string): void => {
  const ort = dirname(require.resolve('onnxruntime-web'))
  mkdirSync(join(out, 'ort'))
  for (const name of readdirSync(ort))
    if (/^ort-wasm-simd-threaded\.(mjs|wasm)$/.test(name)) cpSync(join(ort, name), join(out, 'ort', name))
  mkdirSync(join(out, 'tfjs'))
  const backend = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))
  const core = dirname(require.resolve('@tensorflow/tfjs-core'))
  cpSync(join(core, 'tf-core.min.js'), join(out, 'tfjs', 'tf-core.min.js'))
  for (const name of readdirSync(backend))
    if (/\.wasm$|^tf-backend-wasm\.min\.js$/.test(name)) cpSync(join(backend, name), join(out, 'tfjs', name))
}
