/**
 * @file One artifact runs at any n: a page built by Vite and served from a folder outside this repository, where no compiler
 * can be resolved, against the graph's interpreter.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type HostTensor, type ProgramGraph, interpretGraph } from '@quern/core-ir'
import { programOf } from '@quern/model'
import quern from '@quern/vite-plugin'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import symbolic from '../fixtures/symbolic/symbolic.model.ts'
import { type TestBrowser, chromium, openBrowser } from './browser.ts'
import { type Served, serve } from './serve.ts'

/** As plain numbers, whatever the dtype. */
const numbers = (data: ArrayLike<number | bigint>): number[] =>
  Array.from({ length: data.length }, (_, i) => Number(data[i]))

const sizes = [1, 2, 3, 5, 64, 1000]
const inputOf = (n: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: n * 8 }, (_, i) => Math.cos(i * 0.37) * 3)

/** The meaning of the model, by the interpreter. */
const expected = async (program: ProgramGraph, n: number): Promise<Record<string, HostTensor>> => {
  const graph = program.entries.get('main')
  if (graph === undefined) throw new Error('no entry main')
  return interpretGraph(
    graph,
    { x: { dtype: 'f32', shape: [n, 8], data: inputOf(n) } },
    {
      constant: ({ source, offset, length }) => {
        const bytes = program.sources.get(source)
        if (bytes === undefined) throw new Error(`no source ${source}`)
        return bytes.read(offset, length)
      },
    },
  )
}

describe.skipIf(!chromium)('one artifact at any n', () => {
  let out: string, served: Served, browser: TestBrowser, page: Page
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'quern-symbolic-'))
    await build({
      root: fileURLToPath(new URL('../fixtures/symbolic', import.meta.url)),
      base: './',
      logLevel: 'error',
      configFile: false,
      plugins: [quern({ targets: ['wasm', 'webgpu'], cache: false })],
      build: { outDir: out, emptyOutDir: true, target: 'es2023' },
    })
    served = await serve(out)
    browser = await openBrowser({ webgpu: true })
    page = await browser.context.newPage()
    await page.goto(served.url)
    await page.waitForFunction(() => typeof window.run === 'function')
  }, 120_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await served?.close()
    await rm(out, { recursive: true, force: true })
  })

  it('ships no compiler', async () => {
    const files = (await readdir(join(out, 'assets'))).filter(f => f.endsWith('.js'))
    expect(files.length).toBeGreaterThan(0)
    const { readFile } = await import('node:fs/promises')
    for (const file of files)
      expect(await readFile(join(out, 'assets', file), 'utf8')).not.toMatch(/wabt|formRegions|lowerProgram/)
  })

  describe.each(['wasm', 'webgpu'] as const)('%s', device => {
    it.each(sizes)(
      'n = %i',
      async n => {
        const program = programOf(symbolic).graph
        const want = await expected(program, n)
        const {
          device: ran,
          dispatches,
          outputs,
        } = await page.evaluate(([d, x]) => window.run(d, x), [device, Array.from(inputOf(n))] as const)
        expect(ran).toBe(device)
        expect(dispatches > 0).toBe(device === 'webgpu')
        expect(Object.keys(outputs).sort()).toEqual(Object.keys(want).sort())
        for (const [name, { shape, data }] of Object.entries(want)) {
          const got = outputs[name]
          expect(got?.shape, name).toEqual([...shape])
          const largest = numbers(data).reduce((m, v) => Math.max(m, Math.abs(v)), 1e-30)
          const worst = numbers(data).reduce((m, v, i) => Math.max(m, Math.abs(v - (got?.data[i] ?? NaN))), 0)
          expect(worst / largest, `${name} differs by ${worst} of ${largest}`).toBeLessThan(2e-6)
        }
      },
      60_000,
    )
  })
})
