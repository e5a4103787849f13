/**
 * @file What goes wrong for an app's user, in a real browser over a real build: each is an error with a code whose message
 * says what to do, nothing stays behind, and the next load and run work.
 */
import type { LoadOptions, Progress, Report } from '@quern/artifact'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Given, Outcome } from '../fixtures/loading/actions.ts'
import { type TestBrowser, chromium, openBrowser } from './browser.ts'
import { type Fault, type FaultyServer, serveFaulty } from './faulty-server.ts'
import { type BuiltApp, buildLoadingApp, weightAt } from './loading-app.ts'

const places = {
  caller: { device: 'wasm', thread: 'caller' },
  worker: { device: 'wasm', thread: 'worker', threads: 1 },
  webgpu: { device: 'webgpu' },
} as const satisfies Record<string, LoadOptions>
const first = Array.from({ length: 512 }, (_, i) => weightAt(0, i)).reduce((a, b) => a + b, 0)

describe.skipIf(!chromium)('what goes wrong', () => {
  let app: BuiltApp, server: FaultyServer, browser: TestBrowser, page: Page
  beforeAll(async () => {
    app = await buildLoadingApp()
    server = await serveFaulty(app.folder)
    browser = await openBrowser({ webgpu: true })
  }, 120_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await server?.close()
    app?.remove()
  })
  const open = async (
    on: BrowserContext,
    prepare: (page: Page) => Promise<unknown> = async () => {},
  ): Promise<Page> => {
    const opened = await on.newPage()
    await prepare(opened)
    await opened.goto(server.url)
    await opened.waitForFunction(() => typeof window.page === 'object')
    return opened
  }
  beforeEach(async () => {
    page = await open(browser.context)
  })
  afterEach(async () => {
    server.faults.clear()
    await page.close()
  })

  const load = (options: LoadOptions): Promise<Outcome> => page.evaluate(o => window.page.load(o), options)
  const run = (inputs?: Record<string, Given>): Promise<Outcome> => page.evaluate(i => window.page.run(i), inputs)
  const dispose = (): Promise<Outcome> => page.evaluate(() => window.page.dispose())
  const workersLeft = async (): Promise<number> => {
    for (let i = 0; i < 50 && page.workers().length > 0; i++) await page.waitForTimeout(20)
    return page.workers().length
  }
  /** The whole life of a model. */
  const works = async (options: LoadOptions): Promise<void> => {
    expect(await load(options)).toMatchObject({ ok: true })
    expect(await run()).toMatchObject({
      ok: true,
      value: { shape: [1, 2560], first: expect.closeTo(first, 3), device: options.device },
    })
    expect(await dispose()).toMatchObject({ ok: true })
    expect(await workersLeft()).toBe(0)
  }
  const refused = (outcome: Outcome, code: string, advice: RegExp): void => {
    expect(outcome).toMatchObject({ ok: false, code, message: expect.stringMatching(advice) })
    // A user's error names no line of ours.
    expect(outcome.ok ? '' : outcome.message).not.toMatch(/\.js:\d|undefined|\[object/)
  }

  describe.each(Object.entries(places))('an input of a model on %s', (_, options) => {
    const cases: readonly [string, Record<string, Given>, RegExp][] = [
      ['input/missing', {}, /x \(f32\[n, 512\]\) is missing/],
      [
        'input/unknown-name',
        { x: { array: 'Float32Array', length: 512 }, image: { array: 'Float32Array', length: 1 } },
        /no input named image; the inputs are x/,
      ],
      [
        'input/dtype',
        { x: { array: 'Float64Array', length: 512 } },
        /x is f32 and takes a Float32Array, not Float64Array/,
      ],
      [
        'input/size',
        { x: { array: 'Float32Array', length: 513 } },
        /its length is a multiple of 512, and 513 elements/,
      ],
      [
        'input/size',
        { x: { array: 'Float32Array', length: 512, shape: [2, 512] } },
        /shape \[2, 512\] needs 1024 numbers, and data has 512/,
      ],
      ['input/rank', { x: { array: 'Float32Array', length: 512, shape: [512] } }, /has 2 dims, and a shape of 1/],
      ['dim/out-of-bounds', { x: { array: 'Float32Array', length: 512 * 65 } }, /n is 65.*compiled for \d+ to 64/],
      ['dim/out-of-bounds', { x: { array: 'Float32Array', length: 0 } }, /n is 0.*compiled for \d+ to 64/],
    ]
    it('is checked, and the next run works', async () => {
      expect(await load(options)).toMatchObject({ ok: true })
      for (const [code, inputs, advice] of cases) {
        refused(await run(inputs), code, advice)
        expect(await run()).toMatchObject({ ok: true, value: { first: expect.closeTo(first, 3) } })
      }
      expect(await dispose()).toMatchObject({ ok: true })
      refused(await run(), 'model/disposed', /load it again/)
    })
  })

  const assets: readonly [string, Fault, LoadOptions, string, RegExp][] = [
    ['.wasm', 'missing', places.caller, 'asset/not-found', /answered 404: deploy the emitted assets beside the bundle/],
    ['.wasm', 'a page', places.worker, 'asset/got-html', /the asset is missing or `base` is wrong/],
    ['.wasm', 'a page as wasm', places.caller, 'asset/got-html', /the asset is missing or `base` is wrong/],
    ['.wasm', 'tampered', places.caller, 'asset/tampered', /let no proxy rewrite them/],
    ['.weights', 'missing', places.worker, 'asset/not-found', /answered 404: deploy/],
    ['.weights', 'truncated', places.worker, 'asset/truncated', /deploy the assets of one build together/],
    ['.weights', 'broken off', places.caller, 'asset/truncated', /broke off after \d+ of \d+ bytes: try again/],
    ['.weights', 'tampered', places.worker, 'asset/tampered', /chunk 1.*deploy the assets of one build together/],
    ['.weights', 'tampered', places.webgpu, 'asset/tampered', /chunk 1.*deploy the assets of one build together/],
    ['.weights', 'a page', places.webgpu, 'asset/got-html', /the asset is missing or `base` is wrong/],
    ['.json', 'tampered', places.webgpu, 'asset/tampered', /let no proxy rewrite them/],
  ]
  it.each(assets)('a file %s that is %s', async (end, fault, options, code, advice) => {
    server.faults.set(end, fault)
    refused(await load(options), code, advice)
    expect(await workersLeft()).toBe(0)
    server.faults.clear()
    await works(options)
  })

  it('a server that is gone', async () => {
    await page.context().setOffline(true)
    refused(await load(places.caller), 'asset/unreachable', /is the server up, and does it allow this origin\?/)
    await page.context().setOffline(false)
    await works(places.caller)
  })

  it("a missing file of the runtime's own", async () => {
    const { readdirSync } = await import('node:fs')
    const files = readdirSync(`${app.folder}/assets`)
    const missing = files.filter(f => /^(worker|webgpu)-.*\.js$/.test(f))
    expect(missing.length).toBeGreaterThan(1)
    for (const file of missing) server.faults.set(file, 'missing')
    // A context that has not seen these files yet.
    await using fresh = await browser.browser.newContext()
    page = await open(fresh)
    refused(await load(places.worker), 'runtime/worker-failed', /load the model again, or with thread 'caller'/)
    refused(await load(places.webgpu), 'asset/unreachable', /deploy the files of one build together/)
    server.faults.clear()
    await works(places.worker)
  })

  it.each(Object.entries(places))('an aborted load on %s', async (_, options) => {
    server.faults.set('.weights', 'stalled')
    const outcome = await page.evaluate(o => window.page.loadAndAbort(o, 100), options as LoadOptions)
    refused(outcome, 'load/aborted', /aborted by its signal/)
    for (let i = 0; i < 50 && server.open().length > 0; i++) await page.waitForTimeout(20)
    expect(server.open()).toEqual([])
    expect(await workersLeft()).toBe(0)
    server.faults.clear()
    await works(options)
  })

  it.each(['as they are', 'compressed'])('tells exact progress of files that are sent %s', async how => {
    if (how === 'compressed') server.faults.set('.wasm', 'compressed').set('.weights', 'compressed')
    for (const options of [places.caller, places.webgpu]) {
      const outcome = await load(options)
      if (!outcome.ok) throw new Error(outcome.message)
      const { events, report } = outcome.value as { events: Progress[]; report: Report }
      const total = report.bytes.code + report.bytes.weights
      expect(total).toBeGreaterThan(5 << 20)
      expect(events.length).toBeGreaterThan(3)
      expect(events[0]).toEqual({ loaded: 0, total })
      expect(events.at(-1)).toEqual({ loaded: total, total })
      events.forEach((e, i) => expect(e.loaded).toBeGreaterThanOrEqual(events[i - 1]?.loaded ?? 0))
      expect(report.checked).toBe('sha-256')
      const sent = server.sent.get('.weights') ?? 0
      if (how === 'compressed') expect(sent).toBeLessThan(report.bytes.weights / 2)
      else expect(sent).toBe(report.bytes.weights)
    }
    await dispose()
  })

  it('loads unchecked where there is no crypto.subtle, and reports it', async () => {
    await page.close()
    page = await open(browser.context, p =>
      p.addInitScript(() => Object.defineProperty(crypto, 'subtle', { value: undefined, configurable: true })),
    )
    expect(await load(places.caller)).toMatchObject({
      ok: true,
      value: { report: { checked: 'unchecked: no crypto.subtle' } },
    })
    await dispose()
    server.faults.set('.weights', 'truncated')
    refused(await load(places.caller), 'asset/truncated', /deploy the assets of one build together/)
  })

  it('a browser without WebGPU', async () => {
    const plain = await openBrowser()
    try {
      page = await open(plain.context)
      // Without its flag, this browser has the API and no adapter, or no API.
      refused(
        await load(places.webgpu),
        'device/no-webgpu',
        /load with device 'wasm' or 'auto', or open the page in a browser with WebGPU/,
      )
      await works(places.worker)
      expect(await load({ device: 'auto' })).toMatchObject({ ok: true, value: { report: { device: 'wasm' } } })
      await dispose()
    } finally {
      await plain.browser.close()
    }
  })

  it('a GPU that is lost', async () => {
    await page.close()
    page = await open(browser.context, p =>
      p.addInitScript(() => {
        const devices: GPUDevice[] = []
        const { requestDevice } = GPUAdapter.prototype
        GPUAdapter.prototype.requestDevice = async function (...args) {
          const device = await requestDevice.apply(this, args)
          devices.push(device)
          return device
        }
        Object.assign(globalThis, { devices })
      }),
    )
    expect(await load(places.webgpu)).toMatchObject({ ok: true })
    expect(await run()).toMatchObject({ ok: true, value: { device: 'webgpu' } })
    const lose = () =>
      page.evaluate(async () => {
        const { devices } = globalThis as unknown as { devices: GPUDevice[] }
        const device = devices.at(-1)
        device?.destroy()
        await device?.lost
        return devices.length
      })
    expect(await lose()).toBe(1)
    refused(await run(), 'device/lost', /load the model again/)
    refused(await run(), 'device/lost', /load the model again/)
    expect(await dispose()).toMatchObject({ ok: true })
    await works(places.webgpu)
    // Two loads, one device; and a new one for those after the loss.
    expect(await load(places.webgpu)).toMatchObject({ ok: true })
    expect(await load(places.webgpu)).toMatchObject({ ok: true })
    expect(await lose()).toBe(2)
    refused(await run(), 'device/lost', /load the model again/)
    await dispose()
  })
})
