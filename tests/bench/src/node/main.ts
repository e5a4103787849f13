/** @file What `npm run bench` does: builds the page, lets the judge speak, measures, reports. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath, openChromium } from './browser.ts'
import { measureDigits } from './digits.ts'
import { measurePages } from './measure-pages.ts'
import { type Options, readOptions, usage } from './options.ts'
import { buildPage } from './page-build.ts'
import { measureProduction } from './production.ts'
import { type Progress, openProgress } from './progress.ts'
import { type Pages, type Report, consoleText, markdown } from './report.ts'
import { serveFolder } from './serve.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const benchmarks = fileURLToPath(new URL('../../../../BENCHMARKS.md', import.meta.url))

export const main = async (args: readonly string[]): Promise<number> => {
  let options: Options | 'help'
  try {
    options = readOptions(args)
    chromiumPath()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 2
  }
  if (options === 'help') {
    console.log(usage)
    return 0
  }
  const [load = 0] = loadavg()
  const progress = openProgress()
  try {
    const pages = options.workloads.length === 0 ? undefined : await measureAll(options, progress)
    const production = options.production ? await measureProduction(root, progress) : undefined
    const digits = options.production ? await measureDigits(root, progress) : undefined
    const processor = cpus()[0]?.model ?? 'unknown processor'
    const report: Report = { processor, load, options, pages, production, digits }
    if (options.complete) {
      writeFileSync(benchmarks, markdown(report))
      console.log('wrote BENCHMARKS.md')
    } else console.log(consoleText(report))
  } finally {
    progress.end()
  }
  return 0
}

const measureAll = async (options: Options, progress: Progress): Promise<Pages> => {
  const out = mkdtempSync(join(tmpdir(), 'quern-bench-'))
  const browser = await openChromium()
  try {
    const built = await buildPage(root, out, options.workloads, progress)
    const served = await serveFolder(out, { isolated: true, compressed: false })
    try {
      const results = await measurePages(browser, served, options, progress)
      return { ...built, results, browser: `Chromium ${browser.version()}` }
    } finally {
      await served[Symbol.asyncDispose]()
    }
  } finally {
    await browser.close()
    rmSync(out, { recursive: true, force: true })
  }
}
