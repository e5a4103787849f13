/** @file Finds the installed Chromium and opens pages in it. Tests that need one start with `describe.skipIf(!chromium)`. */
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium as playwright } from 'playwright-core'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Where Chromium is. Where there is none: undefined, or an error if `QUERN_REQUIRE_BROWSER` is set, as CI does. */
export const chromium = findChromium()

function findChromium(): string | undefined {
  const named = process.env.QUERN_CHROMIUM
  const found = named ? [named].find(existsSync) : places.find(existsSync)
  if (found) return found
  const problem = named ? `QUERN_CHROMIUM names ${named}, which does not exist` : 'no Chromium is installed'
  if (process.env.QUERN_REQUIRE_BROWSER) throw new Error(`${problem}, and QUERN_REQUIRE_BROWSER is set`)
  console.warn(`Browser tests are skipped: ${problem} (QUERN_CHROMIUM can name one).`)
  return undefined
}

export interface BrowserOptions {
  /** Gives the page a WebGPU adapter; where there is no GPU, a software one. */
  webgpu?: boolean
  /** Adds the headers to every response that make a page cross-origin isolated, so it may share memory with workers. */
  isolated?: boolean
}

export interface TestBrowser extends AsyncDisposable {
  browser: Browser
  context: BrowserContext
}

/** Starts a headless Chromium with a fresh profile. Dispose of it with `await using`, or in `afterAll`. */
export async function openBrowser({ webgpu = false, isolated = false }: BrowserOptions = {}): Promise<TestBrowser> {
  if (!chromium) throw new Error('no Chromium is installed: guard the test with describe.skipIf(!chromium)')
  const browser = await playwright.launch({
    executablePath: chromium,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(webgpu ? ['--enable-unsafe-webgpu'] : []),
    ],
  })
  const context = await browser.newContext()
  if (isolated) await isolate(context)
  return { browser, context, [Symbol.asyncDispose]: () => browser.close() }
}

async function isolate(context: BrowserContext) {
  await context.route('**', async route => {
    const response = await route.fetch()
    const headers = {
      ...response.headers(),
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'cross-origin',
    }
    await route.fulfill({ response, headers })
  })
}
