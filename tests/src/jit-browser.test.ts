/** @file The whole compiler in a browser: `jit(model)` on a page that was built without the plugin. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JitOptions } from '@quern/jit'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestBrowser, chromium, openBrowser } from './browser.ts'
import { type Served, serve } from './serve.ts'

describe.skipIf(!chromium)('jit in a browser', () => {
  let out: string, served: Served, browser: TestBrowser, page: Page
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'quern-jit-'))
    const root = fileURLToPath(new URL('../fixtures/jit', import.meta.url))
    await build({
      root,
      base: './',
      logLevel: 'error',
      configFile: false,
      build: { outDir: out, emptyOutDir: true, target: 'es2023' },
    })
    served = await serve(out)
    browser = await openBrowser({ webgpu: true })
    page = await browser.context.newPage()
    await page.goto(served.url)
    await page.waitForFunction(() => typeof window.compileAndRun === 'function')
  }, 120_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await served?.close()
    await rm(out, { recursive: true, force: true })
  })

  it.each(['wasm', 'webgpu'] as const)(
    'compiles and runs on %s',
    async device => {
      const { device: ran, y } = await page.evaluate(d => window.compileAndRun(d), device)
      expect(ran).toBe(device)
      const exact = [0, 1, 2, -3, 1e6].map(v => Math.sin(v) + Math.cos(v))
      y.forEach((v, i) => expect(v).toBeCloseTo(exact[i] ?? NaN, 5))
    },
    60_000,
  )

  it.each(['product', 'perceptron'] as const)('fuses multiply-adds of a %s, and agrees with plain SIMD', async name => {
    const run = (options: JitOptions) => page.evaluate(([n, o]) => window.products(n, o), [name, options] as const)
    const [fused, plain, exact] = [await run({}), await run({ relaxed: false }), await run({ numerics: 'exact' })]
    expect(fused.features).toEqual(['relaxed-simd'])
    expect([...plain.features, ...exact.features]).toEqual([])
    expect(exact.y).toHaveLength(plain.y.length)
    // Rounding once instead of twice changes something, and nothing by more than the sums' own rounding.
    expect(fused.y).not.toEqual(plain.y)
    const largest = Math.max(...plain.y.map(Math.abs))
    fused.y.forEach((v, i) => expect(Math.abs(v - (plain.y[i] ?? NaN)) / largest).toBeLessThan(1e-5))
  })
})
