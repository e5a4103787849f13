/** @file What an app ships that has nothing but the digits model on wasm: no WebGPU, no compiler, at most 20 kB beside the weights. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import quern from '@quern/vite-plugin'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'

let root: string
const built = new Map<string, { readonly raw: string; readonly brotli: number }>()

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'quern-shipped-')))
  const models = join(dirname(createRequire(import.meta.url).resolve('@quern/playground/package.json')), 'src/models')
  for (const file of ['digits.model.ts', 'digits.safetensors']) cpSync(join(models, file), join(root, file))
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="./main.ts"></script>')
  writeFileSync(
    join(root, 'main.ts'),
    `import digits from './digits.model.ts'
const net = await digits.load()
const { probs } = await net.run({ image: new Float32Array(784) })
document.body.textContent = String(probs.data[0])`,
  )
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [quern({ targets: ['wasm'], cache: false })],
    build: { target: 'es2023', assetsInlineLimit: 0 },
  })
  const assets = join(root, 'dist/assets')
  for (const file of readdirSync(assets)) {
    const bytes = readFileSync(join(assets, file))
    built.set(file, { raw: bytes.toString('latin1'), brotli: brotliCompressSync(bytes).length })
  }
}, 120_000)
afterAll(() => rmSync(root, { recursive: true, force: true }))

const matching = (pattern: RegExp): string[] => [...built.keys()].filter(file => pattern.test(file))

it('nothing that it never calls', () => {
  expect(matching(/\.json$/)).toEqual([])
  expect(matching(/\.js$/).map(f => f.replace(/-[\w-]{8}\.js$/, ''))).toEqual(['index', 'worker'])
  for (const file of matching(/\.js$/)) {
    const { raw = '' } = built.get(file) ?? {}
    expect(raw).not.toMatch(/requestAdapter|createComputePipeline|createBindGroup/)
    expect(raw).not.toMatch(/wabt|formRegions|lowerProgram/)
  }
})

it('at most 20 kB after brotli: loader, worker and one wasm module', () => {
  const sizes = (pattern: RegExp): number[] => matching(pattern).map(f => built.get(f)?.brotli ?? NaN)
  // One of the modules is fetched: with threads or without.
  const total = sizes(/\.js$/).reduce((a, b) => a + b, 0) + Math.max(...sizes(/\.wasm$/))
  expect(total).toBeLessThanOrEqual(20_000)
  expect(matching(/\.weights$/)).toHaveLength(1)
})
