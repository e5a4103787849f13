/** @file Teams of workers in a real browser over a real build: on a page, in a worker of the app, and where the page may not share memory. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Outcome } from '../fixtures/loading/actions.ts'
import { chromium, openBrowser } from './browser.ts'
import { serveFaulty } from './faulty-server.ts'
import { type BuiltApp, buildLoadingApp } from './loading-app.ts'

describe.skipIf(!chromium)('threads', () => {
  let app: BuiltApp
  beforeAll(async () => {
    app = await buildLoadingApp()
  }, 120_000)
  afterAll(() => app?.remove())

  const answers = async (isolated: boolean): Promise<readonly Outcome[]> => {
    const served = await serveFaulty(app.folder, isolated)
    const { browser, context } = await openBrowser()
    try {
      const page = await context.newPage()
      await page.goto(served.url)
      await page.waitForFunction(() => typeof window.page === 'object')
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated)
      const outcomes = [
        await page.evaluate(() => window.page.wave({ device: 'wasm', thread: 'worker', threads: 3 }, 200)),
        await page.evaluate(() => window.page.inAppWorker(3, 200)),
        await page.evaluate(() => window.page.wave({ device: 'wasm', thread: 'caller', threads: 3 }, 5)),
        await page.evaluate(() => window.page.wave({ device: 'wasm' }, 5)),
        await page.evaluate(() => window.page.wave({ device: 'wasm', dims: { n: 1000 } }, 5)),
      ]
      // The runtime's workers; of the end of the app's own, in which some of them were, the browser does not always tell.
      const left = () => page.workers().filter(w => !w.url().includes('/app-worker'))
      for (let i = 0; i < 50 && left().length > 0; i++) await page.waitForTimeout(20)
      expect(left().map(w => w.url())).toEqual([])
      return outcomes
    } finally {
      await browser.close()
      await served.close()
    }
  }

  it('an isolated page: a team, on the page and in a worker of the app', { timeout: 120_000 }, async () => {
    const team = { ok: true, value: { wrong: 0, thread: 'worker', threads: 3, reasons: ['wasm: asked for'] } }
    const [page, worker, caller] = await answers(true)
    expect(page).toEqual(team)
    expect(worker).toEqual(team)
    expect(caller).toMatchObject({ ok: true, value: { wrong: 0, thread: 'caller', threads: 1 } })
    expect(caller).toMatchObject({ value: { reasons: [expect.any(String), expect.stringMatching(/thread 'caller'/)] } })
  })

  it('any other page: one thread, and the reason', { timeout: 120_000 }, async () => {
    const isolation: unknown = expect.stringMatching(
      /^one thread: the page is not cross-origin isolated.*COOP and COEP/,
    )
    const one = {
      ok: true,
      value: {
        wrong: 0,
        thread: 'worker',
        threads: 1,
        reasons: ['wasm: asked for', isolation],
      },
    }
    const [page, worker, , unbounded, told] = await answers(false)
    expect(page).toEqual(one)
    expect(worker).toEqual(one)
    // What may take any time stays off the page's thread, unless the app says what sizes it expects.
    expect(unbounded).toMatchObject({
      ok: true,
      value: {
        wrong: 0,
        thread: 'worker',
        reasons: ['wasm: asked for', expect.stringMatching(/^a worker: .*no bound/), isolation],
      },
    })
    expect(told).toMatchObject({
      ok: true,
      value: {
        wrong: 0,
        thread: 'caller',
        reasons: ['wasm: asked for', "the caller's thread: predicted at most 0.00 ms a run at n = 1000"],
      },
    })
  })
})
