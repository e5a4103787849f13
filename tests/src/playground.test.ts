/** @file The playground, built to a static folder and used in a real browser on a host that sends no special headers. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompressSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestBrowser, chromium, openBrowser } from './browser.ts'
import { type Served, serve } from './serve.ts'

const root = fileURLToPath(new URL('../../playground', import.meta.url))
const screenshot = fileURLToPath(new URL('../../docs/playground.png', import.meta.url))

describe.skipIf(!chromium)('the playground', () => {
  let out: string, served: Served, browser: TestBrowser, page: Page
  const problems: string[] = []
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'quern-playground-'))
    // As a user builds it: in a process of its own, over the built packages.
    const vite = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url))
    await promisify(execFile)(
      process.execPath,
      [vite, 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', join(out, 'deep', 'er')],
      { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } },
    )
    served = await serve(out)
    browser = await openBrowser({ webgpu: true })
    page = await browser.context.newPage()
    page.on('pageerror', error => problems.push(error.message))
    page.on('console', message => message.type() === 'error' && problems.push(message.text()))
  }, 180_000)
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await served?.close()
    await rm(out, { recursive: true, force: true })
  })
  const open = async (hash: string): Promise<void> => {
    // From an empty page: a reload would restore the last test's choices and scroll position.
    await page.goto('about:blank')
    await page.goto(`${served.url}deep/er/#${hash}`)
    await page.waitForSelector('.demo')
  }

  it('runs sin + cos on wasm and on WebGPU', async () => {
    await open('sincos')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.waitForSelector('#demo-sincos[data-done]', { timeout: 120_000 })
    const rows = await page.$$eval('.bar', bars =>
      bars.map(bar => ({ text: bar.querySelector('output')?.textContent ?? '', ran: bar.getAttribute('title') ?? '' })),
    )
    expect(rows.map(r => r.text)).toEqual([
      expect.stringMatching(/ms$/),
      expect.stringMatching(/ms$/),
      expect.stringMatching(/ms$/),
    ])
    expect(rows[1]?.ran).toMatch(/^wasm/)
    expect(rows[2]?.ran).toMatch(/^webgpu/)
    expect(problems).toEqual([])
  }, 180_000)

  it('shows the model and what was emitted, by keyboard', async () => {
    await open('sincos')
    await page.getByRole('tab', { name: 'sincos.model.ts' }).focus()
    for (const [name, part] of [
      ['graph', 'sin'],
      ['after fusion', 'one kernel'],
      ['schedule', ''],
      ['loop nest', 'for'],
      ['WAT', '(func'],
      ['WGSL', '@compute'],
    ] as const) {
      await page.keyboard.press('ArrowRight')
      expect(await page.getByRole('tab', { name, exact: true }).getAttribute('aria-selected')).toBe('true')
      expect(await page.locator('.code-panel').textContent()).toContain(part)
    }
  })

  it.each(['wasm', 'webgpu'] as const)(
    'classifies 985 of the 1,000 test digits on %s',
    async device => {
      await open('digits')
      await page.locator(`input[value=${device}]`).check()
      await page.getByRole('button', { name: /Classify/ }).click()
      await page.waitForSelector('#demo-digits[data-right]', { timeout: 240_000 })
      const demo = page.locator('#demo-digits')
      expect(await demo.getAttribute('data-device')).toBe(device)
      expect(await demo.getAttribute('data-right')).toBe('985')
      expect(problems).toEqual([])
    },
    300_000,
  )

  it('shows which values share memory', async () => {
    await open('digits')
    await page.getByRole('tab', { name: 'memory plan' }).click()
    // What draws a tab is loaded when it is first shown.
    await page.locator('.memory tbody tr').first().waitFor()
    const rows = await page.locator('.memory tbody tr').allTextContents()
    expect(rows.join()).toContain('image')
    expect(await page.locator('.memory pre').count()).toBe(0)
  })

  it('is used by keyboard alone', async () => {
    await open('sincos')
    const selected = page.locator('#tabs [aria-selected=true]')
    await selected.focus()
    await page.keyboard.press('ArrowRight')
    await page.waitForSelector('#demo-digits')
    expect(await selected.textContent()).toBe('Digits')
    await page.keyboard.press('End')
    await page.waitForSelector('#demo-bench')
    await page.keyboard.press('ArrowRight')
    await page.waitForSelector('#demo-sincos')
    await page.locator('#tabs [href="#digits"]').focus()
    await page.keyboard.press(' ')
    await page.waitForSelector('#demo-digits')
  })

  it.each([1100, 375])('leaves the pad where it is while a digit is drawn, %i pixels wide', async width => {
    await page.setViewportSize({ width, height: 860 })
    await open('digits')
    const pad = page.locator('canvas.pad')
    const before = await pad.boundingBox()
    await pad.click()
    await page.waitForSelector('.facts:not(:empty)')
    await page.waitForSelector('.bar.digit.best')
    expect(await pad.boundingBox()).toEqual(before)
    await page.setViewportSize({ width: 1100, height: 860 })
  })

  it('reads a digit drawn by mouse', async () => {
    await open('digits')
    const box = await page.locator('canvas.pad').boundingBox()
    if (box === null) throw new Error('no pad')
    const at = (x: number, y: number): [number, number] => [box.x + box.width * x, box.y + box.height * y]
    await page.mouse.move(...at(0.5, 0.15))
    await page.mouse.down()
    for (let y = 0.15; y <= 0.85; y += 0.05) await page.mouse.move(...at(0.5, y))
    await page.mouse.up()
    await page.waitForSelector('.bar.digit.best')
    await page.waitForTimeout(300)
    expect(await page.locator('.bar.digit.best strong').textContent()).toBe('1')
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).not.toBe('rgb(250, 247, 242)')
    await page.emulateMedia({ colorScheme: 'light' })
    expect(problems).toEqual([])
  }, 60_000)

  it('measures the workloads of the benchmarks on this device', async () => {
    await open('bench')
    await page.getByRole('button', { name: 'Run on wasm' }).click()
    await page.waitForSelector('#demo-bench[data-done=wasm]', { timeout: 240_000 })
    const rows = await page.$$eval('.figures tbody tr', trs =>
      trs.map(tr => {
        const cell = tr.querySelector('td')
        return { text: cell?.textContent ?? '', ran: cell?.title ?? '' }
      }),
    )
    expect(rows.length).toBeGreaterThanOrEqual(14)
    for (const { text, ran } of rows) {
      expect(text).toMatch(/^[\d.,]+ ms[\d.]+ G(?:FLOP|B)\/s$/)
      expect(ran).toMatch(/^wasm/)
    }
    expect(problems).toEqual([])
  }, 300_000)

  it('stops when asked to, and keeps what it measured', async () => {
    await open('bench')
    await page.getByRole('button', { name: 'Run on wasm' }).click()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.waitForSelector('#demo-bench[data-done=wasm]', { timeout: 60_000 })
    expect(await page.locator('#demo-bench .status').textContent()).toContain('Stopped')
    expect(await page.locator('.figures td', { hasText: '—' }).count()).toBeGreaterThan(14)
  }, 90_000)

  it('says once why there is no WebGPU', async () => {
    const without = await browser.context.newPage()
    await without.addInitScript(() => {
      Object.defineProperty(Navigator.prototype, 'gpu', { value: { requestAdapter: async () => null } })
    })
    await without.goto(`${served.url}deep/er/#bench`)
    await without.waitForSelector('.note:not(:empty)')
    expect(await without.locator('.note').textContent()).toContain('found no adapter')
    expect(await without.getByRole('button', { name: 'Run on WebGPU' }).isDisabled()).toBe(true)
    await without.close()
  })

  it('loads little before the first demo is seen', async () => {
    const files = await readdir(join(out, 'deep', 'er', 'assets'))
    const html = await readFile(join(out, 'deep', 'er', 'index.html'), 'utf8')
    const entry = files.filter(f => html.includes(f) && f.endsWith('.js'))
    expect(entry.length).toBeGreaterThan(0)
    for (const file of entry)
      expect((await readFile(join(out, 'deep', 'er', 'assets', file))).length).toBeLessThan(20_000)
    for (const file of files.filter(f => f.endsWith('.js')))
      expect((await readFile(join(out, 'deep', 'er', 'assets', file))).length, file).toBeLessThan(500_000)
  })

  it('has no sideways scroll on a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    for (const demo of ['sincos', 'digits', 'bench']) {
      await open(demo)
      expect(await page.evaluate(() => document.documentElement.scrollWidth), demo).toBeLessThanOrEqual(360)
      for (const tab of await page.locator('#tabs a').all()) {
        const { x = -1, width = 0 } = (await tab.boundingBox()) ?? {}
        expect(x, demo).toBeGreaterThanOrEqual(0)
        expect(x + width, demo).toBeLessThanOrEqual(360)
      }
    }
    await page.setViewportSize({ width: 1100, height: 860 })
  })

  it('is what the README shows', async () => {
    await open('digits')
    await page.locator('input[value=wasm]').check()
    await page.getByRole('button', { name: /Classify/ }).click()
    await page.waitForSelector('#demo-digits[data-right]', { timeout: 240_000 })
    // What its description in the README says is on it.
    await page.locator('#demo-digits .status').scrollIntoViewIfNeeded()
    const line = await page.locator('#demo-digits .status', { hasText: '985 of 1,000 right' }).boundingBox()
    expect(line === null ? Infinity : line.y + line.height).toBeLessThanOrEqual(860)
    const picture = await page.screenshot()
    const updating = expect.getState().snapshotState['_updateSnapshot'] === 'all'
    await mkdir(fileURLToPath(new URL('../../docs', import.meta.url)), { recursive: true })
    if (updating) await writeFile(screenshot, picture)
    // Fonts differ between machines, so only that there is a picture of this size is held.
    const kept = await readFile(screenshot)
    expect(kept.subarray(16, 24)).toEqual(picture.subarray(16, 24))
  }, 240_000)

  it('ships at most 20 kB of compressed code for a model', async () => {
    const files = await readdir(join(out, 'deep', 'er', 'assets'))
    const wasm = files.filter(f => f.endsWith('.wasm'))
    expect(wasm.length).toBeGreaterThan(0)
    for (const file of wasm)
      expect(brotliCompressSync(await readFile(join(out, 'deep', 'er', 'assets', file))).length, file).toBeLessThan(
        10_000,
      )
  })
})
