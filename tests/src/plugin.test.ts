/** @file What a Vite user sees in a browser: a model that computes in dev, after an edit, after a mistake, in a worker, and built. */
import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import quern from '@quern/vite-plugin'
import type { Page } from 'playwright-core'
import { type InlineConfig, type ViteDevServer, build, createServer, preview } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestBrowser, chromium, openBrowser } from './browser.ts'

const model = (f: string): string => `import { add, ${f}, dim, model, sin, tensor } from '@quern/model'
export const input = [0, 0.5, 1, 1.5, 2, 40]
export default model({ x: tensor('f32', [dim('n')]) }, ({ x }) => {
  return { y: add(sin(x), ${f}(x)) }
})
`
/** Computes on the page and in a worker of the page, and writes both below the model's data. */
const files = {
  'wave.model.ts': model('cos'),
  'compute.ts': `import wave, { input } from './wave.model.ts'
export const compute = async (device: 'wasm' | 'webgpu', thread: 'caller' | 'worker') => {
  const net = await wave.load({ device, thread })
  const { y } = await net.run({ x: Float32Array.from(input) })
  const report = net.report()
  await net.dispose()
  return { y: [...y.data], device: report.device, thread: report.thread, threads: report.threads, dispatches: report.dispatches }
}`,
  'worker.ts': `import { compute } from './compute.ts'
compute('wasm', 'caller').then(postMessage, e => postMessage(String(e)))`,
  'main.ts': `import { compute } from './compute.ts'
const inWorker = () => new Promise((done, fail) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  worker.onmessage = e => done(e.data)
  worker.onerror = e => fail(new Error(e.message))
})
Object.assign(globalThis, { compute, inWorker })
document.body.dataset.ready = 'yes'`,
  'index.html': '<!doctype html><body><script type="module" src="./main.ts"></script></body>',
}
type Result = { y: number[]; device: string; thread: string; threads: number; dispatches: number }

let root: string
let browser: TestBrowser
const write = (name: string, text: string): void => writeFileSync(join(root, name), text)
const config = (base: string): InlineConfig => ({
  configFile: false,
  root,
  base,
  logLevel: 'silent',
  plugins: [quern()],
  worker: { format: 'es', plugins: () => [quern()] },
  build: { target: 'es2023' },
})
const urlOf = ({ httpServer }: { httpServer: { address(): unknown } | null }, base: string): string =>
  `http://127.0.0.1:${(httpServer?.address() as AddressInfo | undefined)?.port}${base}`
const ready = (page: Page) => page.waitForSelector('body[data-ready]', { state: 'attached', timeout: 20_000 })
const compute = (page: Page, device: string, thread: string): Promise<Result> =>
  page.evaluate(
    ([d, t]) => (globalThis as unknown as { compute(d: string, t: string): Promise<Result> }).compute(d!, t!),
    [device, thread],
  )
const sums = (f: (x: number) => number): unknown =>
  [0, 0.5, 1, 1.5, 2, 40].map(x => expect.closeTo(Math.sin(x) + f(x), 5))

const makeRoot = (): void => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'quern-browser-')))
  for (const [name, text] of Object.entries(files)) write(name, text)
}

beforeAll(async () => {
  if (chromium) browser = await openBrowser({ webgpu: true })
})
afterAll(() => (chromium ? browser.browser.close() : undefined))

describe.skipIf(!chromium)('the Vite plugin, in a browser', () => {
  beforeEach(makeRoot)
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('dev: computes everywhere, follows an edit, shows a mistake at its line and recovers', async () => {
    const server = await createServer({ ...config('/'), server: { port: 0, host: '127.0.0.1' } })
    await server.listen()
    const page = await browser.context.newPage()
    try {
      await page.goto(urlOf(server, '/'))
      await ready(page)
      expect(await compute(page, 'wasm', 'caller')).toMatchObject({
        y: sums(Math.cos),
        device: 'wasm',
        thread: 'caller',
      })
      expect(await compute(page, 'wasm', 'worker')).toMatchObject({ y: sums(Math.cos), thread: 'worker' })
      expect(await compute(page, 'webgpu', 'caller')).toMatchObject({
        y: sums(Math.cos),
        device: 'webgpu',
        dispatches: 1,
      })
      const inWorker = await page.evaluate(() => (globalThis as unknown as { inWorker(): Promise<Result> }).inWorker())
      expect(inWorker).toMatchObject({ y: sums(Math.cos), device: 'wasm' })

      const reloaded = page.waitForEvent('load')
      write('wave.model.ts', model('tanh'))
      await reloaded
      await ready(page)
      expect(await compute(page, 'wasm', 'caller')).toMatchObject({ y: sums(Math.tanh) })

      write('wave.model.ts', model('cos').replace('cos(x))', 'cos(x, missing))'))
      const overlay = page.locator('vite-error-overlay')
      await overlay.waitFor({ state: 'attached', timeout: 20_000 })
      const text = await overlay.evaluate(e => e.shadowRoot?.textContent ?? '')
      expect(text).toContain('missing is not defined')
      expect(text).toContain('4 |   return { y: add(sin(x), cos(x, missing)) }')
      expect(text).toContain('wave.model.ts:4:')

      write('wave.model.ts', model('cos'))
      await ready(page)
      expect(await overlay.count()).toBe(0)
      expect(await compute(page, 'wasm', 'caller')).toMatchObject({ y: sums(Math.cos) })
    } finally {
      await page.close()
      await server.close()
    }
  })

  it.each(['/sub/', './'])('build and preview: computes under base %s', async base => {
    await build(config(base))
    const served = base === './' ? '/' : base
    const server = await preview({ ...config(served), preview: { port: 0, host: '127.0.0.1' } })
    const page = await browser.context.newPage()
    try {
      await page.goto(urlOf(server, served))
      await ready(page)
      expect(await compute(page, 'wasm', 'caller')).toMatchObject({ y: sums(Math.cos), device: 'wasm' })
      expect(await compute(page, 'wasm', 'worker')).toMatchObject({ y: sums(Math.cos), thread: 'worker' })
      expect(await compute(page, 'webgpu', 'caller')).toMatchObject({
        y: sums(Math.cos),
        device: 'webgpu',
        dispatches: 1,
      })
      const inWorker = await page.evaluate(() => (globalThis as unknown as { inWorker(): Promise<Result> }).inWorker())
      expect(inWorker).toMatchObject({ y: sums(Math.cos), device: 'wasm' })
    } finally {
      await page.close()
      await server.close()
    }
  })

  it('dev: an isolated page gets a team of workers, for a model with work to share', async () => {
    write('wave.model.ts', model('cos').replace("dim('n')", '1 << 18'))
    write(
      'compute.ts',
      files['compute.ts']
        .replace('Float32Array.from(input)', 'new Float32Array(1 << 18).map((_, i) => input[i] ?? 0)')
        .replace('...y.data', '...y.data.slice(0, 6)'),
    )
    const server = await createServer({
      ...config('/'),
      plugins: [quern({ crossOriginIsolation: true })],
      server: { port: 0, host: '127.0.0.1' },
    })
    await server.listen()
    const page = await browser.context.newPage()
    try {
      await page.goto(urlOf(server, '/'))
      await ready(page)
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
      const threads = await page.evaluate(() => Math.min(navigator.hardwareConcurrency, 4))
      expect(await compute(page, 'wasm', 'worker')).toMatchObject({ y: sums(Math.cos), thread: 'worker', threads })
    } finally {
      await page.close()
      await server.close()
    }
  })
})

describe.skipIf(!chromium)('the Vite plugin in dev, after a mistake', () => {
  // One server and page for all: what follows a mistake must not depend on what came before it.
  let server: ViteDevServer
  let page: Page
  beforeAll(async () => {
    makeRoot()
    const weights = new URL('../../playground/src/models/digits.safetensors', import.meta.url)
    copyFileSync(weights, join(root, 'digits.safetensors'))
    server = await createServer({ ...config('/'), server: { port: 0, host: '127.0.0.1' } })
    await server.listen()
    page = await browser.context.newPage()
    await page.goto(urlOf(server, '/'))
    await ready(page)
  })
  afterAll(async () => {
    await page.close()
    await server.close()
    rmSync(root, { recursive: true, force: true })
  })

  const net = (top: string, y: string): string => `import { model, nn, safetensors, tensor, zeros } from '@quern/model'
${top}
export const input = []
export default model({ x: tensor('f32', [2, 3]) }, ({ x }) => ({
  y: ${y},
}))`
  const open = (file: string): string => `const w = await safetensors(new URL('./${file}', import.meta.url))`

  it.each([
    ['const = 3', 'x', '[model/syntax] this is not TypeScript', '2 | const = 3'],
    ["throw new TypeError('boom')", 'x', '[model/threw] TypeError: boom', "2 | throw new TypeError('boom')"],
    ['', 'nn.linear(x, { weight: zeros([4, 5]) })', '[linear/weight-fits]', '5 |   y: nn.linear(x,'],
    [
      open('nope.safetensors'),
      'x',
      '[weights/not-found] cannot read',
      "2 | const w = await safetensors(new URL('./nope",
    ],
    [open('digits.safetensors'), "w.get('fc1.wieght')", 'did you mean fc1.weight?', "5 |   y: w.get('fc1.wieght')"],
    ['', 'x ? nn.relu(x) : x', '[model/tensor-as-condition] x is a tensor', '5 |   y: x ? nn.relu(x)'],
  ])('shows at its line `%s` above `y: %s`, and recovers', async (top, y, says, quoted) => {
    const overlay = page.locator('vite-error-overlay')
    write('wave.model.ts', net(top, y))
    await overlay.waitFor({ state: 'attached', timeout: 20_000 })
    const text = await overlay.evaluate(e => e.shadowRoot?.textContent ?? '')
    expect(text).toContain(says)
    expect(text).toContain(quoted)
    expect(text).toContain(`wave.model.ts:${quoted[0]}:`)
    write('wave.model.ts', net('', 'nn.relu(x)'))
    await overlay.waitFor({ state: 'detached', timeout: 20_000 })
    await ready(page)
  })
})
