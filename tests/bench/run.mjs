/** @file `npm run bench`: builds the bench page, runs it in headless Chromium beside the peers, and writes BENCHMARKS.md. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { page as benchmarksPage } from './report.mjs'
import { measureDigits } from './digits.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'quern-bench-'))
const vite = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url))
execFileSync(process.execPath, [vite, 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', out], {
  cwd: here,
  stdio: 'inherit',
})
const ort = createRequire(import.meta.url).resolve('onnxruntime-web')
cpSync(normalize(join(ort, '..')), join(out, 'ort'), {
  recursive: true,
  filter: f => !/\.map$|jsep|asyncify|jspi|webgl|webgpu/.test(f),
})

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
}
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  const file = join(out, normalize(pathname === '/' ? 'index.html' : pathname))
  if (!existsSync(file)) return response.writeHead(404).end()
  return response
    .writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      // Isolated, so that the clock ticks in 5 µs steps.
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    })
    .end(readFileSync(file))
}).listen(0, '127.0.0.1')
await new Promise(done => server.once('listening', done))

const executablePath = process.env.QUERN_CHROMIUM ?? '/usr/bin/chromium'
const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const browser = await chromium.launch({ executablePath, args })
try {
  const page = await browser.newPage()
  page.on('pageerror', error => console.error(error.message))
  await page.goto(`http://127.0.0.1:${server.address().port}/`)
  await page.waitForFunction(() => window.results !== undefined || window.failure !== undefined, undefined, {
    timeout: 600_000,
  })
  const failure = await page.evaluate(() => window.failure)
  if (failure !== undefined) throw new Error(failure)
  const results = await page.evaluate(() => window.results)
  const digits = await measureDigits(brotliCompressSync)
  const text = benchmarksPage({
    results,
    digits,
    processor: cpus()[0]?.model ?? 'unknown',
    browser: `Chromium ${browser.version()}`,
  })
  writeFileSync(fileURLToPath(new URL('../../BENCHMARKS.md', import.meta.url)), text)
  console.log(text)
} finally {
  await browser.close()
  server.close()
  rmSync(out, { recursive: true, force: true })
}
