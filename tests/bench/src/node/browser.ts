/** @file Starts Chromium without a window. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** @throws where there is none, with what to do */
export const chromiumPath = (): string => {
  const named = process.env['QUERN_CHROMIUM']
  const found = (named === undefined ? places : [named]).find(existsSync)
  if (found !== undefined) return found
  throw new Error(
    named === undefined
      ? `the benchmarks need Chromium, and there is none at ${places.join(', ')}: install it, or name its executable in QUERN_CHROMIUM`
      : `QUERN_CHROMIUM names ${named}, and there is nothing`,
  )
}

export const openChromium = (): Promise<Browser> => chromium.launch({ executablePath: chromiumPath(), args })
