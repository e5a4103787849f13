/** @file Runs wasm modules beside one another in one Chromium page, in turns, and gives the times of each. */
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'
import wabt from 'wabt'

const executablePath = process.env.QUERN_CHROMIUM ?? '/usr/bin/chromium'
const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const features = { simd: true, relaxed_simd: true }
export const assemble = async (name, text) => {
  const { parseWat } = await wabt()
  const module = parseWat(name, text, features)
  module.validate(features)
  const { buffer } = module.toBinary({})
  module.destroy()
  return buffer
}

/**
 * A contestant is a module that imports `env.memory`, the calls that are timed together, and where its data lies.
 *
 * @typedef {{ at: number, length: number, seed: number } | { at: number, words: number[] }} Data floats of a sequence, or words as they are
 * @typedef {{ name: string, code: Uint8Array, bytes: number, calls: [string, ...number[]][], data: Data[], out: { at: number, length: number } }} Contestant
 * @param {readonly { name: string, contestants: Contestant[] }[]} contests
 * @returns for each contest, for each contestant, its times and how far its output is from the first one's
 */
export const runContests = async (contests, { rounds = 24, settle = 1500, log = () => {} } = {}) => {
  const server = createServer((_, response) =>
    response
      .writeHead(200, {
        'content-type': 'text/html',
        // Isolated, so that the clock ticks in 5 µs steps.
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      })
      .end('<!doctype html><title>contest</title>'),
  ).listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const browser = await chromium.launch({ executablePath, args })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${server.address().port}/`)
    // A fresh headless page starts helper processes that take a core for a while.
    await page.waitForTimeout(settle)
    const results = []
    for (const { name, contestants } of contests) {
      const plain = contestants.map(c => ({ ...c, code: Buffer.from(c.code).toString('base64') }))
      const result = await page.evaluate(inPage, { contestants: plain, rounds })
      log(name, result)
      results.push({ name, result })
    }
    return results
  } finally {
    await browser.close()
    server.close()
  }
}

/** Everything below runs in the page. */
const inPage = async ({ contestants, rounds }) => {
  const started = []
  for (const c of contestants) {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(c.bytes / 65_536) })
    const code = Uint8Array.from(atob(c.code), x => x.charCodeAt(0))
    const { instance } = await WebAssembly.instantiate(code, { env: { memory, clock: () => performance.now() } })
    for (const { at, length, seed, words } of c.data) {
      if (words !== undefined) {
        new Int32Array(memory.buffer, at, words.length).set(words)
        continue
      }
      let state = seed
      const to = new Float32Array(memory.buffer, at, length)
      for (let i = 0; i < length; i++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        to[i] = state / 2 ** 31 - 1
      }
    }
    const calls = c.calls.map(([name, ...rest]) => [instance.exports[name], rest])
    const run = () => {
      for (const [f, rest] of calls) f(...rest)
    }
    started.push({ name: c.name, run, out: new Float32Array(memory.buffer, c.out.at, c.out.length), times: [] })
  }
  const reference = started[0].out
  for (const s of started) {
    // Until the optimised code has surely replaced the first one.
    const from = performance.now()
    for (let i = 0; i < 12 || performance.now() - from < 60; i++) s.run()
    const start = performance.now()
    s.run()
    // The clock ticks in steps of 5 µs: short runs are timed in batches.
    s.batch = Math.max(1, Math.ceil(0.5 / Math.max(0.001, performance.now() - start)))
    await new Promise(done => setTimeout(done, 5))
  }
  for (let round = 0; round < rounds; round++)
    for (const s of round % 2 === 0 ? started : started.toReversed()) {
      const start = performance.now()
      for (let i = 0; i < s.batch; i++) s.run()
      s.times.push((performance.now() - start) / s.batch)
    }
  return started.map(({ name, out, times }) => {
    let largest = 0,
      worst = 0
    for (let i = 0; i < out.length; i++) {
      largest = Math.max(largest, Math.abs(reference[i]))
      worst = Math.max(worst, Number.isNaN(out[i]) ? Infinity : Math.abs(out[i] - reference[i]))
    }
    const sorted = times.sort((a, b) => a - b)
    return {
      name,
      median: sorted[sorted.length >> 1],
      quarter: sorted[sorted.length >> 2],
      best: sorted[0],
      error: largest === 0 ? Infinity : worst / largest,
    }
  })
}
