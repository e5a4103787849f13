/** @file The digits model of the playground as an app ships it, and how long compiling it, and a larger model, takes in a process of its own. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import quern from '@quern/vite-plugin'
import { build } from 'vite'
import { medianOf } from '../page/measure.ts'
import type { Progress } from './progress.ts'

export interface Digits {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly brotli: number }[]
  /** Loader, worker and the largest of the modules, of which one is fetched. */
  readonly fetched: number
  /** Milliseconds from the model file to all variants for wasm, with no part of the compiler loaded before; the median of five processes. */
  readonly compileMs: number
  /** The same of the bench's MobileNetV2. */
  readonly mobilenetMs: number
}

const main = `import digits from './digits.model.ts'
const net = await digits.load()
const { probs } = await net.run({ image: new Float32Array(784) })
document.body.textContent = String(probs.data[0])`

const compile = `import { evaluateModelFile } from '@quern/evaluate'
const start = performance.now()
const { error } = await evaluateModelFile(process.argv[1], { compile: { targets: ['wasm'] } })
if (error) throw new Error(error.text)
console.log(performance.now() - start)`

export const measureDigits = async (root: string, progress: Progress): Promise<Digits> => {
  progress.say('the digits model in a production build')
  // Inside the package, so that its dependencies are found.
  const folder = mkdtempSync(join(root, '.digits-'))
  const out = mkdtempSync(join(tmpdir(), 'quern-digits-'))
  try {
    const models = join(root, '../../playground/src/models')
    for (const file of ['digits.model.ts', 'digits.safetensors']) cpSync(join(models, file), join(folder, file))
    writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="./main.ts"></script>')
    writeFileSync(join(folder, 'main.ts'), main)
    await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      plugins: [quern({ targets: ['wasm'], cache: false })],
      build: { target: 'es2023', assetsInlineLimit: 0, outDir: out, emptyOutDir: true },
    })
    const assets = join(out, 'assets')
    const files = readdirSync(assets).map(file => {
      const content = readFileSync(join(assets, file))
      return {
        name: file.replace(/-[\w-]{8}(?=\.\w+$)/, ''),
        bytes: content.length,
        brotli: brotliCompressSync(content).length,
      }
    })
    const sizes = (ending: string): number[] => files.filter(f => f.name.endsWith(ending)).map(f => f.brotli)
    const coldMs = (file: string): number =>
      medianOf(
        Array.from({ length: 5 }, () =>
          Number(
            execFileSync(process.execPath, ['--input-type=module', '--eval', compile, file], {
              cwd: folder,
              encoding: 'utf8',
            }).trim(),
          ),
        ),
      )
    return {
      files,
      fetched: sizes('.js').reduce((a, b) => a + b, 0) + Math.max(...sizes('.wasm')),
      compileMs: coldMs(join(folder, 'digits.model.ts')),
      mobilenetMs: coldMs(join(root, 'src/models/mobilenet.model.ts')),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(out, { recursive: true, force: true })
  }
}
